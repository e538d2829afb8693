//! Pure: RTP and RTCP, jitter buffer, G.711 and G.722, telephone-event.
