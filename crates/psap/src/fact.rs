//! A fact: one thing that a call-taker can check about a call, with the clause that asks for it.

use core::fmt;

use serde::Serialize;

/// One checked thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What was looked at, such as `request-uri`.
    pub name: &'static str,
    /// Whether it is as the clause asks.
    pub ok: bool,
    /// What was found, or what is wrong. May name a person's address or number: for the
    /// call-taker's screen, never for a log.
    pub value: String,
    /// Who asks for it.
    pub clause: &'static str,
}

impl Fact {
    pub(crate) fn found(
        name: &'static str,
        clause: &'static str,
        value: impl Into<String>,
    ) -> Self {
        Self {
            name,
            ok: true,
            value: value.into(),
            clause,
        }
    }

    pub(crate) fn wrong(
        name: &'static str,
        clause: &'static str,
        value: impl Into<String>,
    ) -> Self {
        Self {
            name,
            ok: false,
            value: value.into(),
            clause,
        }
    }

    /// Found when `ok`, else wrong, with the same value.
    pub(crate) fn of(
        ok: bool,
        name: &'static str,
        clause: &'static str,
        value: impl Into<String>,
    ) -> Self {
        Self {
            name,
            ok,
            value: value.into(),
            clause,
        }
    }

    /// The line without what was found: for a log.
    #[must_use]
    pub fn without_value(&self) -> String {
        format!("{:4} {:24} [{}]", self.verdict(), self.name, self.clause)
    }

    fn verdict(&self) -> &'static str {
        if self.ok { "ok" } else { "FAIL" }
    }
}

impl fmt::Display for Fact {
    /// One line, whatever the caller put into the value.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value: String = self
            .value
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        write!(
            formatter,
            "{:4} {:24} {value}  [{}]",
            self.verdict(),
            self.name,
            self.clause
        )
    }
}
