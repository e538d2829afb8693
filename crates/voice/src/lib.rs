//! Pure: from microphone samples to an understood sentence, and back to speech.
