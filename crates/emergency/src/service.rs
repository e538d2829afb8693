//! Service URNs (RFC 5031), and the two values without which no emergency call can be built: [`DrillService`] and [`LiveService`].

use core::fmt;
use std::borrow::Cow;

use crate::target::{DrillTargets, Refused};

/// Longest service URN read, in bytes.
pub const SERVICE_URN_BYTES_MAX: usize = 128;

/// The sub-services of `sos` that RFC 5031 §4.2 and §4.4 register.
pub const SOS_SERVICES: [&str; 9] = [
    "ambulance",
    "animal-control",
    "fire",
    "gas",
    "marine",
    "mountain",
    "physician",
    "poison",
    "police",
];

/// The sub-services of `counseling` that RFC 5031 §4.3 and §4.4 register.
pub const COUNSELING_SERVICES: [&str; 3] = ["children", "mental-health", "suicide"];

/// A service URN, `urn:service:…` (RFC 5031 §3): case-insensitive on reading, lower case on writing.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceUrn(Cow<'static, str>);

/// Why a text is no service URN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceUrnError {
    /// It does not begin with `urn:service:`.
    #[error("not a service URN: it does not begin with urn:service: (RFC 5031 section 3)")]
    Scheme,
    /// Longer than [`SERVICE_URN_BYTES_MAX`].
    #[error("the service URN is longer than {SERVICE_URN_BYTES_MAX} bytes")]
    TooLong,
    /// A label is empty, longer than 63, begins or ends with a hyphen, or has other characters than letters, digits and hyphens.
    #[error(
        "label {index} of the service URN is not 1 to 63 letters, digits or inner hyphens (RFC 5031 section 3)"
    )]
    Label {
        /// Which label, from 0.
        index: usize,
    },
}

impl ServiceUrn {
    /// `urn:service:sos`: the general emergency service.
    pub const SOS: ServiceUrn = ServiceUrn::fixed("urn:service:sos");
    /// `urn:service:sos.ambulance`.
    pub const AMBULANCE: ServiceUrn = ServiceUrn::fixed("urn:service:sos.ambulance");
    /// `urn:service:sos.animal-control`.
    pub const ANIMAL_CONTROL: ServiceUrn = ServiceUrn::fixed("urn:service:sos.animal-control");
    /// `urn:service:sos.fire`.
    pub const FIRE: ServiceUrn = ServiceUrn::fixed("urn:service:sos.fire");
    /// `urn:service:sos.gas`.
    pub const GAS: ServiceUrn = ServiceUrn::fixed("urn:service:sos.gas");
    /// `urn:service:sos.marine`.
    pub const MARINE: ServiceUrn = ServiceUrn::fixed("urn:service:sos.marine");
    /// `urn:service:sos.mountain`.
    pub const MOUNTAIN: ServiceUrn = ServiceUrn::fixed("urn:service:sos.mountain");
    /// `urn:service:sos.physician`.
    pub const PHYSICIAN: ServiceUrn = ServiceUrn::fixed("urn:service:sos.physician");
    /// `urn:service:sos.poison`.
    pub const POISON: ServiceUrn = ServiceUrn::fixed("urn:service:sos.poison");
    /// `urn:service:sos.police`.
    pub const POLICE: ServiceUrn = ServiceUrn::fixed("urn:service:sos.police");
    /// `urn:service:counseling.suicide`: never an emergency call (RFC 5031 §4.2).
    pub const SUICIDE: ServiceUrn = ServiceUrn::fixed("urn:service:counseling.suicide");

    const fn fixed(text: &'static str) -> Self {
        ServiceUrn(Cow::Borrowed(text))
    }

    /// Reads a service URN, of a known service or not.
    ///
    /// # Errors
    /// [`ServiceUrnError`], when RFC 5031 §3 does not allow it.
    pub fn parse(text: &str) -> Result<Self, ServiceUrnError> {
        if text.len() > SERVICE_URN_BYTES_MAX {
            return Err(ServiceUrnError::TooLong);
        }
        let lower = text.to_ascii_lowercase();
        let labels = lower
            .strip_prefix("urn:service:")
            .ok_or(ServiceUrnError::Scheme)?;
        for (index, label) in labels.split('.').enumerate() {
            let shaped = (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !shaped {
                return Err(ServiceUrnError::Label { index });
            }
        }
        Ok(ServiceUrn(Cow::Owned(lower)))
    }

    /// The URN in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The labels after `urn:service:`.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0["urn:service:".len()..].split('.')
    }

    /// Whether it lies in the `sos` tree: an emergency call, and not a test of one.
    pub fn is_sos(&self) -> bool {
        self.labels().next() == Some("sos")
    }

    /// Whether it is an automated test, `test.…` (RFC 6881 §15, §17.2).
    pub fn is_test(&self) -> bool {
        self.labels().next() == Some("test")
    }

    /// The service without its last label; none at the top of a tree (`sos`, `counseling`, `test.sos`).
    pub fn parent(&self) -> Option<ServiceUrn> {
        let top = if self.is_test() { 2 } else { 1 };
        if self.labels().count() <= top {
            return None;
        }
        let end = self.0.rfind('.')?;
        Some(ServiceUrn(Cow::Owned(self.0[..end].to_owned())))
    }

    /// Shortened right to left until RFC 5031 registers it (§3); none if even its top is unknown.
    pub fn registered(&self) -> Option<ServiceUrn> {
        let mut candidate = self.clone();
        loop {
            if candidate.is_registered() {
                return Some(candidate);
            }
            candidate = candidate.parent()?;
        }
    }

    fn is_registered(&self) -> bool {
        let labels: Vec<&str> = self.labels().collect();
        match labels.as_slice() {
            ["sos"] | ["counseling"] | ["test", "sos"] => true,
            ["sos", sub] | ["test", "sos", sub] => SOS_SERVICES.contains(sub),
            ["counseling", sub] => COUNSELING_SERVICES.contains(sub),
            _ => false,
        }
    }

    /// Whether `other` is this service or one below it.
    pub fn covers(&self, other: &ServiceUrn) -> bool {
        other
            .0
            .strip_prefix(&*self.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl fmt::Display for ServiceUrn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for ServiceUrn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Permission to place one *drill*: a service, and the only places the call may reach.
///
/// It is neither `Copy` nor `Clone`: one value, one call. Every invitation built from it says "drill" (DESIGN
/// invariant 6) and every address it is sent to is checked against its targets.
#[derive(Debug)]
#[must_use = "a drill that is not given to a call places none"]
pub struct DrillService {
    service: ServiceUrn,
    targets: DrillTargets,
}

impl DrillService {
    /// A drill of `service` that may reach `targets` only.
    ///
    /// # Errors
    /// [`Refused::NotAnEmergencyService`], when the service lies outside the `sos` tree.
    pub fn new(service: ServiceUrn, targets: DrillTargets) -> Result<Self, Refused> {
        if !service.is_sos() {
            return Err(Refused::NotAnEmergencyService { service });
        }
        Ok(DrillService { service, targets })
    }

    /// The service called.
    pub fn service(&self) -> &ServiceUrn {
        &self.service
    }

    /// Where it may go.
    pub fn targets(&self) -> &DrillTargets {
        &self.targets
    }
}

/// Permission to place one *live* emergency call.
///
/// It has no value: this version knows no configuration that could construct one, so no code path of it can reach a
/// real call-taker (DESIGN invariant 6). A function that takes it compiles and can never be called.
#[derive(Debug)]
pub enum LiveService {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_ignored_and_written_lower() {
        let urn = ServiceUrn::parse("URN:SERVICE:SOS.Police").unwrap();
        assert_eq!(urn.as_str(), "urn:service:sos.police");
        assert_eq!(urn, ServiceUrn::POLICE);
    }

    #[test]
    fn every_registered_service_is_its_own_registration() {
        for sub in SOS_SERVICES {
            let urn = ServiceUrn::parse(&format!("urn:service:sos.{sub}")).unwrap();
            assert!(urn.is_sos());
            assert_eq!(urn.registered(), Some(urn.clone()));
            let test = ServiceUrn::parse(&format!("urn:service:test.sos.{sub}")).unwrap();
            assert!(test.is_test() && !test.is_sos());
            assert_eq!(test.registered(), Some(test.clone()));
        }
    }

    #[test]
    fn an_unknown_label_is_kept_and_shortened_from_the_right() {
        let urn = ServiceUrn::parse("urn:service:sos.police.river.night").unwrap();
        assert_eq!(urn.as_str(), "urn:service:sos.police.river.night");
        assert_eq!(urn.registered(), Some(ServiceUrn::POLICE));
        let urn = ServiceUrn::parse("urn:service:sos.dragon").unwrap();
        assert_eq!(urn.registered(), Some(ServiceUrn::SOS));
        assert_eq!(
            ServiceUrn::parse("urn:service:pizza").unwrap().registered(),
            None
        );
        assert_eq!(ServiceUrn::SOS.parent(), None);
        assert!(ServiceUrn::SOS.covers(&ServiceUrn::POLICE));
        assert!(
            !ServiceUrn::parse("urn:service:so")
                .unwrap()
                .covers(&ServiceUrn::SOS)
        );
    }

    #[test]
    fn bad_labels_are_named() {
        assert_eq!(ServiceUrn::parse("sip:sos"), Err(ServiceUrnError::Scheme));
        assert_eq!(
            ServiceUrn::parse("urn:service:"),
            Err(ServiceUrnError::Label { index: 0 })
        );
        assert_eq!(
            ServiceUrn::parse("urn:service:sos.-a"),
            Err(ServiceUrnError::Label { index: 1 })
        );
        assert_eq!(
            ServiceUrn::parse("urn:service:sos.a b"),
            Err(ServiceUrnError::Label { index: 1 })
        );
    }
}
