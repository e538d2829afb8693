//! `[household]`: the hub that this device has joined. The files are what joining gave: certificate, key, authority.
use std::net::SocketAddr;
use std::path::PathBuf;

use hearthline_emergency::line::{Line, Transport};
use hearthline_emergency::target::SipUri;
use hearthline_sip::Host;
use serde::Deserialize;

use super::{ConfigError, value};
use crate::telephone::screening::DropIn;
use crate::telephone::whom::HomeUser;

/// What the record calls the hub's line.
pub(crate) const LINE_NAME: &str = "hub";

/// `[household]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HomeSettings {
    /// The hub's address for SIP over TLS: `127.0.0.1:5061`. In this version only loopback.
    pub hub: SocketAddr,
    /// The domain of the home's addresses, as the hub has it.
    pub domain: String,
    /// The device's id, as the hub gave it.
    pub user: String,
    /// The device's certificate, PEM. Relative to the household's file, like the next two.
    pub certificate: PathBuf,
    /// Its secret key, PEM, readable by its owner alone.
    pub key: PathBuf,
    /// The home's own authority, PEM: no other is trusted.
    pub authority: PathBuf,
    /// What the home calls this device.
    pub name: Option<String>,
    /// The hub's address for HTTPS, where the names of the home are asked for: `127.0.0.1:8443`.
    pub api: Option<SocketAddr>,
    /// `never`: a call is always answered by a person here. `household`: whom the hub lets may drop in.
    #[serde(default = "never")]
    pub drop_in: String,
}

fn never() -> String {
    "never".into()
}

impl HomeSettings {
    /// The domain.
    ///
    /// # Errors
    /// When it is no host name.
    pub fn domain(&self) -> Result<Host, ConfigError> {
        match Host::parse(&self.domain) {
            Ok(domain @ Host::Name(_)) => Ok(domain),
            _ => Err(value(
                "household",
                "domain",
                "no host name; take the one that the hub shows at its start",
            )),
        }
    }

    /// Whether anybody may drop in.
    ///
    /// # Errors
    /// An unknown word.
    pub fn drop_in(&self) -> Result<DropIn, ConfigError> {
        match self.drop_in.as_str() {
            "never" => Ok(DropIn::Never),
            "household" => Ok(DropIn::Household),
            other => Err(value(
                "household",
                "drop_in",
                format!("'{other}'; use never or household"),
            )),
        }
    }

    /// The hub as the way out for a call for help, tried before the device's own lines.
    ///
    /// # Errors
    /// Never for an address that reads.
    pub fn line(&self) -> Result<Line, ConfigError> {
        let uri = format!("sip:{};transport=tls", self.hub);
        let target =
            SipUri::parse(&uri).map_err(|error| value("household", "hub", error.to_string()))?;
        Ok(Line::new(LINE_NAME, target, vec![Transport::Tls]))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.domain()?;
        self.drop_in()?;
        if HomeUser::new(&self.user).is_none() {
            return Err(value(
                "household",
                "user",
                "no device's id; take the one that joining gave",
            ));
        }
        for (key, address) in [("hub", Some(self.hub)), ("api", self.api)] {
            if address.is_some_and(|address| !address.ip().is_loopback()) {
                return Err(value(
                    "household",
                    key,
                    "leads beyond this machine; this version stays on 127.0.0.1 and [::1]",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Household;

    const HOME: &str =
        "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n";
    const MEMBER: &str = "[household]\nhub = \"127.0.0.1:5061\"\ndomain = \"home.hearthline.internal\"\nuser = \"k7q2\"\n\
        certificate = \"device.pem\"\nkey = \"device.key\"\nauthority = \"home.pem\"\n";

    #[test]
    fn a_member_of_a_home_is_read_and_checked() {
        let read = |text: &str| Household::parse(&format!("{HOME}{text}"));
        assert!(read("").unwrap().household.is_none());
        let home = read(MEMBER).unwrap().household.unwrap();
        assert_eq!(home.drop_in, "never");
        for (from, to, words) in [
            ("127.0.0.1:5061", "192.0.2.1:5061", "beyond this machine"),
            ("home.hearthline.internal", "127.0.0.1", "domain"),
            ("k7q2", "911", "device's id"),
            (
                "authority",
                "drop_in = \"all\"\nauthority",
                "never or household",
            ),
            ("authority", "password = \"x\"\nauthority", "unknown field"),
        ] {
            let error = read(&MEMBER.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
