//! `[hub]`: what the hub of this home must know to carry calls to the outside. A speaker does not read it.
use std::path::PathBuf;

use serde::Deserialize;

use super::{ConfigError, value};

/// Most digits of an area code, the national prefix with them.
const AREA_CODE_DIGITS_MAX: usize = 8;

/// `[hub]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HubSettings {
    /// The home's area code: whoever dials a number without one means a number there.
    pub area_code: Option<String>,
    /// Certificates, PEM, that vouch for the servers of TLS lines. Relative to the household's file.
    pub tls_roots: Option<PathBuf>,
}

impl HubSettings {
    /// Checks what is given.
    ///
    /// # Errors
    /// An area code that is none.
    pub fn check(&self) -> Result<(), ConfigError> {
        let is_code = |code: &String| {
            (1..=AREA_CODE_DIGITS_MAX).contains(&code.len())
                && code.bytes().all(|byte| byte.is_ascii_digit())
        };
        if self.area_code.as_ref().is_some_and(|code| !is_code(code)) {
            return Err(value(
                "hub",
                "area_code",
                "not an area code; write its digits alone, such as \"505\" or \"030\"",
            ));
        }
        Ok(())
    }
}
