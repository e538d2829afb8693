//! Test machinery: devices, call-takers and lines in one thread, virtual time, one seed.
