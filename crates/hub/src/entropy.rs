//! Random bytes of the system, for ids, codes and tokens.

use ring::rand::{SecureRandom as _, SystemRandom};

/// The system gave no random bytes: then no id, code or token may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes; nothing secret can be made until it does")]
pub struct NoEntropy;

/// `N` secret random bytes.
///
/// # Errors
/// [`NoEntropy`].
pub fn random<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| NoEntropy)?;
    Ok(bytes)
}
