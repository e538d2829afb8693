//! Pure: numbers, service URNs, PIDF-LO, LoST, additional data and the emergency call's states.
