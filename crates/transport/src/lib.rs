//! Adapter: the sockets below sip and media: UDP, TCP, TLS and DNS on tokio.
