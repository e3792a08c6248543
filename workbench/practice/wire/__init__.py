"""The practice exchange's wire: what a real exchange says over HTTP and websockets, spoken on loopback.

`server` listens, with TLS, and sends each request by its Host header to the `Protocol` that speaks for that host. A
protocol turns the request into a call of the engine and the engine's messages into its exchange's words. Nothing here
decides what happens to an order: that is the engine's.
"""
