"""Benchmarks are run by `make bench`; some rest on peers that are not installed here, so pytest leaves them out."""

collect_ignore_glob = ["*.py", "peers/*.py"]
