//! Pure: append-only signed record of what the device heard and did; bundle and verify.
