//! `[[line]]`: a way to the outside, and what it must be.
use std::path::PathBuf;

use hearthline_emergency::call::{Line, Transport};
use hearthline_emergency::line::{AddressAs, LineBody};
use hearthline_emergency::numbers::NumberPlan;
use hearthline_emergency::target::{DrillTargets, SipUri};
use hearthline_voice::understand::Country;
use serde::Deserialize;

use super::{ACCOUNT_BYTES_MAX, ConfigError, value};

/// `[[line]]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineSettings {
    /// Name in every record: `landline`, `trunk`.
    pub name: String,
    /// Where its INVITE goes. In this version only loopback.
    pub uri: String,
    /// Transports in the order tried; TLS is tried on the port after an explicit one.
    #[serde(default = "every_transport")]
    pub transports: Vec<String>,
    /// `service`: the INVITE goes to `urn:service:sos`. `number`: to `sip:911@host`, the number by country and service,
    /// for a landline adapter, a trunk or a softphone, which know telephone numbers only.
    #[serde(default = "by_service")]
    pub address_as: String,
    /// `full`: session, location and additional data. `session`: the session alone; no location is sent on this line.
    #[serde(default = "whole_body")]
    pub body: String,
    /// The account that a 401 or 407 is answered with; needs `password_file` or `password_env`.
    pub username: Option<String>,
    /// A file with the account's password and nothing else, readable by its owner alone. Relative to the household's file.
    pub password_file: Option<PathBuf>,
    /// Instead: the environment variable that has the password.
    pub password_env: Option<String>,
}

impl LineSettings {
    /// A line with every other key as it is when left out.
    #[must_use]
    pub fn new(name: impl Into<String>, uri: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            uri: uri.into(),
            transports: every_transport(),
            address_as: by_service(),
            body: whole_body(),
            username: None,
            password_file: None,
            password_env: None,
        }
    }
}

fn by_service() -> String {
    "service".into()
}

fn whole_body() -> String {
    "full".into()
}

fn every_transport() -> Vec<String> {
    ["tls", "tcp", "udp"].map(str::to_owned).to_vec()
}

impl LineSettings {
    /// The line, without its password.
    ///
    /// # Errors
    /// A URI, transport or account that cannot be, or a way beyond this machine.
    pub(super) fn checked(&self, plan: NumberPlan) -> Result<Line, ConfigError> {
        let wrong = |key: &str, why: &dyn std::fmt::Display| {
            Err(value("line", &format!("{} {key}", self.name), why))
        };
        let target = match SipUri::parse(&self.uri) {
            Ok(target) => target,
            Err(error) => return wrong("uri", &error),
        };
        if !DrillTargets::loopback().permit(&target) {
            return wrong(
                "uri",
                &"leads beyond this machine; this version places drill calls only, so a line goes to 127.0.0.1, [::1] or \
                  localhost, without maddr and without headers",
            );
        }
        let transports = self
            .transports
            .iter()
            .map(|name| transport(&self.name, name))
            .collect::<Result<Vec<_>, _>>()?;
        if transports.is_empty() {
            return wrong("transports", &"none; use tls, tcp, udp");
        }
        let address_as = match self.address_as.as_str() {
            "service" => AddressAs::Service,
            "number" => AddressAs::Number(plan),
            other => return wrong("address_as", &format!("'{other}'; use service or number")),
        };
        let body = match self.body.as_str() {
            "full" => LineBody::Full,
            "session" => LineBody::SessionOnly,
            other => return wrong("body", &format!("'{other}'; use full or session")),
        };
        match (&self.username, &self.password_file, &self.password_env) {
            (None, None, None) | (Some(_), Some(_), None) | (Some(_), None, Some(_)) => {}
            (Some(_), None, None) => {
                return wrong(
                    "username",
                    &"has no password; give password_file (a file with the password alone) or password_env",
                );
            }
            (_, Some(_), Some(_)) => {
                return wrong("password_env", &"beside password_file; give one of them");
            }
            (None, ..) => return wrong("username", &"none, but a password; give both or neither"),
        }
        if let Some(username) = &self.username
            && (username.is_empty()
                || username.len() > ACCOUNT_BYTES_MAX
                || username.chars().any(char::is_control))
        {
            return wrong(
                "username",
                &format!(
                    "empty, longer than {ACCOUNT_BYTES_MAX} bytes, or with control characters"
                ),
            );
        }
        Ok(Line {
            address_as,
            body,
            ..Line::new(self.name.clone(), target, transports)
        })
    }
}

/// Whose numbers a household of this country dials.
pub(super) fn number_plan(country: Country) -> NumberPlan {
    use hearthline_emergency::numbers::Country as Numbers;
    match country {
        Country::UnitedStates => NumberPlan::Of(Numbers::UnitedStates),
        Country::Canada => NumberPlan::Of(Numbers::Canada),
        Country::UnitedKingdom => NumberPlan::Of(Numbers::UnitedKingdom),
        Country::EuropeanUnion => NumberPlan::EuropeanUnion,
        Country::Australia => NumberPlan::Of(Numbers::Australia),
    }
}

fn transport(line: &str, name: &str) -> Result<Transport, ConfigError> {
    match name {
        "tls" => Ok(Transport::Tls),
        "tcp" => Ok(Transport::Tcp),
        "udp" => Ok(Transport::Udp),
        other => Err(value(
            "line",
            &format!("{line} transports"),
            format!("'{other}'; use tls, tcp, udp"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Household;

    const HOME: &str =
        "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n";

    fn with_line(keys: &str) -> Result<Vec<Line>, String> {
        let text = format!("{HOME}[[line]]\nname = \"trunk\"\n{keys}\n");
        let household = Household::parse(&text).map_err(|error| error.to_string())?;
        household.lines().map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_is_addressed_and_filled_as_configured() {
        let lines = with_line("uri = \"sip:127.0.0.1:5060\"").unwrap();
        assert_eq!(
            (lines[0].address_as, lines[0].body),
            (AddressAs::Service, LineBody::Full)
        );
        let lines = with_line(
            "uri = \"sip:127.0.0.1\"\naddress_as = \"number\"\nbody = \"session\"\nusername = \"a\"\npassword_file = \"b\"",
        )
        .unwrap();
        let AddressAs::Number(plan) = lines[0].address_as else {
            panic!("{lines:?}")
        };
        let sos = hearthline_emergency::service::ServiceUrn::SOS;
        assert_eq!(plan.number_for(&sos).as_str(), "911");
        assert_eq!(lines[0].body, LineBody::SessionOnly);
    }

    #[test]
    fn what_a_line_cannot_be_is_refused_when_the_file_is_read() {
        let good = "uri = \"sip:127.0.0.1\"\n";
        for (keys, words) in [
            ("uri = \"sip:trunk@sip.example.com\"", "beyond this machine"),
            ("uri = \"sip:192.0.2.1\"", "drill calls only"),
            (
                "uri = \"sip:127.0.0.1;maddr=192.0.2.1\"",
                "beyond this machine",
            ),
            ("uri = \"sip:127.0.0.1:99999\"", "RFC 3261"),
            (&format!("{good}address_as = \"name\""), "service or number"),
            (&format!("{good}body = \"some\""), "full or session"),
            (&format!("{good}username = \"a\""), "password_file"),
            (
                &format!("{good}password_file = \"a\""),
                "give both or neither",
            ),
            (
                &format!("{good}username = \"\"\npassword_env = \"A\""),
                "empty",
            ),
            (
                &format!("{good}username = \"a\"\npassword_env = \"A\"\npassword_file = \"b\""),
                "one of them",
            ),
            (&format!("{good}password = \"secret\""), "unknown field"),
            (
                &format!("{good}[[line]]\nname = \"trunk\"\n{good}"),
                "two lines have this name",
            ),
        ] {
            let error = with_line(keys).unwrap_err();
            assert!(
                error.contains(words) && error.contains("line"),
                "{keys}: {error}"
            );
        }
    }
}
