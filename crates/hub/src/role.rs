//! Who may do what: one table of routes and standings, and nowhere else.
//!
//! A route that is not in the table is refused, whatever its handler would say.

use axum::http::Method;

use crate::person::Role;

/// What a caller is to the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// A person with this role.
    Person(Role),
    /// A device with its certificate.
    Device,
    /// Anybody.
    Nobody,
}

impl Standing {
    /// Every standing, in the order of the table's columns.
    pub const ALL: [Standing; 6] = [
        Standing::Person(Role::Owner),
        Standing::Person(Role::Adult),
        Standing::Person(Role::Child),
        Standing::Person(Role::Guest),
        Standing::Device,
        Standing::Nobody,
    ];

    fn column(self) -> usize {
        match self {
            Self::Person(Role::Owner) => 0,
            Self::Person(Role::Adult) => 1,
            Self::Person(Role::Child) => 2,
            Self::Person(Role::Guest) => 3,
            Self::Device => 4,
            Self::Nobody => 5,
        }
    }
}

/// How much of what a route offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing.
    Nothing,
    /// What is theirs, or what was set aside for them.
    Own,
    /// All of it.
    All,
}

/// One route.
#[derive(Debug)]
pub struct Rule {
    /// Method.
    pub method: Method,
    /// Path as in the OpenAPI document.
    pub path: &'static str,
    scopes: [Scope; 6],
}

impl Rule {
    /// What this standing may do here.
    #[must_use]
    pub fn scope(&self, standing: Standing) -> Scope {
        self.scopes[standing.column()]
    }
}

use Scope::{All as A, Nothing as N, Own as O};

const fn rule(method: Method, path: &'static str, scopes: [Scope; 6]) -> Rule {
    Rule {
        method,
        path,
        scopes,
    }
}

/// The table. Columns: owner, adult, child, guest, device, nobody.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule(Method::GET,    "/api/v1/openapi.json",           [A, A, A, A, A, A]),
    rule(Method::GET,    "/sip",                           [O, O, O, O, O, N]),
    rule(Method::GET,    "/api/v1/join",                   [A, A, A, A, A, A]),
    rule(Method::POST,   "/api/v1/join",                   [A, A, A, A, A, A]),
    rule(Method::POST,   "/api/v1/certificate",            [O, O, O, O, O, N]),
    rule(Method::GET,    "/api/v1/me",                     [O, O, O, O, O, N]),
    rule(Method::PUT,    "/api/v1/me/device",              [O, O, O, O, N, N]),
    rule(Method::POST,   "/api/v1/sessions",               [A, A, A, A, A, A]),
    rule(Method::GET,    "/api/v1/sessions",               [O, O, O, O, N, N]),
    rule(Method::DELETE, "/api/v1/sessions/{id}",          [A, O, O, O, N, N]),
    rule(Method::GET,    "/api/v1/people",                 [A, A, O, O, O, N]),
    rule(Method::POST,   "/api/v1/people",                 [A, N, N, N, N, N]),
    rule(Method::GET,    "/api/v1/people/{id}",            [A, A, O, O, O, N]),
    rule(Method::PUT,    "/api/v1/people/{id}",            [A, N, N, N, N, N]),
    rule(Method::DELETE, "/api/v1/people/{id}",            [A, N, N, N, N, N]),
    rule(Method::PUT,    "/api/v1/people/{id}/password",   [A, O, O, O, N, N]),
    rule(Method::GET,    "/api/v1/people/{id}/sessions",   [A, N, N, N, N, N]),
    rule(Method::GET,    "/api/v1/devices",                [A, A, A, N, A, N]),
    rule(Method::GET,    "/api/v1/devices/{id}",           [A, A, A, N, A, N]),
    rule(Method::PUT,    "/api/v1/devices/{id}",           [A, O, N, N, N, N]),
    rule(Method::DELETE, "/api/v1/devices/{id}",           [A, O, N, N, O, N]),
    rule(Method::GET,    "/api/v1/telephone",              [A, A, A, N, A, N]),
    rule(Method::GET,    "/api/v1/sip-accounts",           [A, A, N, N, N, N]),
    rule(Method::POST,   "/api/v1/sip-accounts",           [A, O, N, N, N, N]),
    rule(Method::DELETE, "/api/v1/sip-accounts/{id}",      [A, O, N, N, N, N]),
    rule(Method::GET,    "/api/v1/people/{id}/call-settings",  [A, O, O, O, N, N]),
    rule(Method::PUT,    "/api/v1/people/{id}/call-settings",  [A, O, N, N, N, N]),
    rule(Method::POST,   "/api/v1/me/blocked",             [O, O, N, N, O, N]),
    rule(Method::GET,    "/api/v1/devices/{id}/call-settings", [A, A, N, N, O, N]),
    rule(Method::PUT,    "/api/v1/devices/{id}/call-settings", [A, N, N, N, O, N]),
    rule(Method::GET,    "/api/v1/rooms",                  [A, A, A, A, A, N]),
    rule(Method::POST,   "/api/v1/rooms",                  [A, A, N, N, N, N]),
    rule(Method::PUT,    "/api/v1/rooms/{id}",             [A, A, N, N, N, N]),
    rule(Method::DELETE, "/api/v1/rooms/{id}",             [A, A, N, N, N, N]),
    rule(Method::GET,    "/api/v1/contacts",               [A, A, O, N, A, N]),
    rule(Method::POST,   "/api/v1/contacts",               [A, A, N, N, N, N]),
    rule(Method::GET,    "/api/v1/contacts/vcard",         [A, A, O, N, A, N]),
    rule(Method::POST,   "/api/v1/contacts/vcard",         [A, A, N, N, N, N]),
    rule(Method::GET,    "/api/v1/contacts/{id}",          [A, A, O, N, A, N]),
    rule(Method::PUT,    "/api/v1/contacts/{id}",          [A, A, N, N, N, N]),
    rule(Method::DELETE, "/api/v1/contacts/{id}",          [A, A, N, N, N, N]),
    rule(Method::GET,    "/api/v1/lines",                  [A, A, N, N, A, N]),
    rule(Method::GET,    "/api/v1/lines/days",             [A, A, N, N, N, N]),
    rule(Method::POST,   "/api/v1/lines",                  [A, N, N, N, N, N]),
    rule(Method::PUT,    "/api/v1/lines/{id}",             [A, N, N, N, N, N]),
    rule(Method::DELETE, "/api/v1/lines/{id}",             [A, N, N, N, N, N]),
    rule(Method::GET,    "/api/v1/calls",                  [A, A, N, N, A, N]),
    rule(Method::GET,    "/api/v1/calls/{id}",             [A, A, N, N, A, N]),
    rule(Method::GET,    "/api/v1/messages",               [O, O, O, O, O, N]),
    rule(Method::POST,   "/api/v1/messages",               [O, O, O, O, O, N]),
    rule(Method::POST,   "/api/v1/messages/acknowledge",   [O, O, O, O, O, N]),
    rule(Method::GET,    "/api/v1/messages/{id}",          [O, O, O, O, O, N]),
    rule(Method::DELETE, "/api/v1/messages/{id}",          [O, O, O, O, O, N]),
    rule(Method::GET,    "/api/v1/messages/{id}/voice",    [O, O, O, O, O, N]),
    rule(Method::POST,   "/api/v1/texts",                  [O, O, N, N, O, N]),
    rule(Method::GET,    "/api/v1/incidents",              [A, A, N, N, N, N]),
    rule(Method::POST,   "/api/v1/incidents",              [N, N, N, N, O, N]),
    rule(Method::POST,   "/api/v1/incidents/bundles",      [N, N, N, N, O, N]),
    rule(Method::GET,    "/api/v1/incidents/{id}/bundle",  [A, A, N, N, N, N]),
    rule(Method::GET,    "/api/v1/events",                 [O, O, O, O, O, N]),
    rule(Method::GET,    "/api/v1/invitations",            [A, N, N, N, N, N]),
    rule(Method::POST,   "/api/v1/invitations",            [A, O, N, N, N, N]),
    rule(Method::DELETE, "/api/v1/invitations/{id}",       [A, N, N, N, N, N]),
    rule(Method::GET,    "/api/v1/agendas",                [A, A, N, N, N, N]),
    rule(Method::GET,    "/api/v1/me/agenda",              [N, N, N, N, O, N]),
    rule(Method::PUT,    "/api/v1/me/agenda",              [N, N, N, N, O, N]),
    rule(Method::GET,    "/api/v1/routines",               [A, A, N, N, N, N]),
    rule(Method::PUT,    "/api/v1/routines",               [A, N, N, N, N, N]),
    rule(Method::POST,   "/api/v1/routines/key",           [A, N, N, N, N, N]),
    rule(Method::POST,   "/api/v1/people/{id}/ring",       [A, A, O, O, O, N]),
    rule(Method::GET,    "/api/v1/light-orders",           [A, A, N, N, N, N]),
    rule(Method::POST,   "/api/v1/me/find-phone",          [N, N, N, N, O, N]),
    rule(Method::GET,    "/api/v1/me/light-orders",        [N, N, N, N, O, N]),
    rule(Method::PUT,    "/api/v1/me/light-orders/{id}",   [N, N, N, N, O, N]),
    rule(Method::GET,    "/api/v1/push",                   [O, O, O, O, N, N]),
    rule(Method::POST,   "/api/v1/push",                   [O, O, O, O, N, N]),
    rule(Method::DELETE, "/api/v1/push",                   [O, O, O, O, N, N]),
];

/// The rule of a route; none means that nobody may use it.
#[must_use]
pub fn rule_of(method: &Method, path: &str) -> Option<&'static Rule> {
    RULES
        .iter()
        .find(|rule| rule.method == *method && rule.path == path)
}

/// What somebody who is two things may do: as a device, but no more than its person where the person is a child or
/// a guest. What only devices may do they still may.
#[must_use]
pub fn scope_of(rule: &Rule, standing: Standing, person: Option<Role>) -> Scope {
    let own = rule.scope(standing);
    let (Standing::Device, Some(role @ (Role::Child | Role::Guest))) = (standing, person) else {
        return own;
    };
    let adult = rule.scope(Standing::Person(Role::Adult));
    let theirs = rule.scope(Standing::Person(role));
    match (own, theirs) {
        _ if adult == Scope::Nothing => own,
        (Scope::Nothing, _) | (_, Scope::Nothing) => Scope::Nothing,
        (Scope::Own, _) | (_, Scope::Own) => Scope::Own,
        (Scope::All, Scope::All) => Scope::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_stands_once_and_nobody_gets_more_than_an_owner_but_devices_their_own() {
        for (index, rule) in RULES.iter().enumerate() {
            let again = RULES[index + 1..]
                .iter()
                .any(|other| other.method == rule.method && other.path == rule.path);
            assert!(!again, "{} {}", rule.method, rule.path);
            let more = |scope| match scope {
                Scope::Nothing => 0,
                Scope::Own => 1,
                Scope::All => 2,
            };
            let of = |standing| more(rule.scope(standing));
            let [owner, adult, child, guest, device, nobody] = Standing::ALL.map(of);
            assert!(
                owner >= adult && adult >= child && child >= guest,
                "{}",
                rule.path
            );
            assert!(guest >= nobody && device >= nobody, "{}", rule.path);
            assert!(owner >= device || device == 1, "{}", rule.path);
        }
    }

    #[test]
    fn a_childs_phone_is_no_way_around_the_childs_limits() {
        let scope =
            |method, path, role| scope_of(rule_of(&method, path).unwrap(), Standing::Device, role);
        assert_eq!(scope(Method::GET, "/api/v1/contacts", None), Scope::All);
        assert_eq!(
            scope(Method::GET, "/api/v1/contacts", Some(Role::Adult)),
            Scope::All
        );
        assert_eq!(
            scope(Method::GET, "/api/v1/contacts", Some(Role::Child)),
            Scope::Own
        );
        assert_eq!(
            scope(Method::GET, "/api/v1/contacts", Some(Role::Guest)),
            Scope::Nothing
        );
        assert_eq!(
            scope(Method::GET, "/api/v1/calls", Some(Role::Child)),
            Scope::Nothing
        );
        assert_eq!(
            scope(Method::POST, "/api/v1/incidents", Some(Role::Child)),
            Scope::Own
        );
        assert_eq!(
            scope(Method::POST, "/api/v1/certificate", Some(Role::Guest)),
            Scope::Own
        );
        assert!(rule_of(&Method::PATCH, "/api/v1/rooms").is_none());
    }
}
