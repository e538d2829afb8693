//! Permission to use a modem's radio.

/// The modem is a drill stand-in: nothing that is sent to it reaches a network. Every call that is placed or answered
/// and every message that is sent needs this value, and only [`Permit::check`] makes one (DESIGN invariant 6).
///
/// A real modem would need what only a checked, human-confirmed configuration can construct; as with
/// `hearthline_transport::Reach`, that does not exist yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Permit(());

impl Permit {
    /// Whether the connection that owns the service's name also owns the stand-in's, which no ModemManager does.
    pub(super) fn check(service: Option<&str>, stand_in: Option<&str>) -> Option<Self> {
        let same = service.is_some() && service == stand_in;
        same.then_some(Self(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_and_the_same_connection_is_a_stand_in() {
        assert!(Permit::check(Some(":1.1"), Some(":1.1")).is_some());
        for (service, stand_in) in [
            (None, None),
            (Some(":1.1"), None),
            (None, Some(":1.1")),
            (Some(":1.1"), Some(":1.2")),
        ] {
            assert_eq!(Permit::check(service, stand_in), None);
        }
    }
}
