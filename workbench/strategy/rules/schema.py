"""x"""
__all__=["schema"]
def schema(): return {}
