//! A file comes with its type, its policy and a tag; a browser that has it already gets none of it again.

use axum::{Router, middleware};
use hearthline_pages::content_type::SCRIPT;
use hearthline_pages::{Askers, Asset, POLICY, assets, router, with_strict_headers};

use crate::wire::ask;

const FILES: &[Asset] = assets! {
    in "src/";
    "/lib.rs" => "lib.rs", SCRIPT;
};

fn site() -> Router {
    router(FILES)
        .layer(middleware::from_fn_with_state(
            Askers::PageAlone,
            Askers::alone,
        ))
        .layer(middleware::from_fn(with_strict_headers))
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let line = answer.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.strip_prefix(": "))
        .unwrap_or_default()
}

#[tokio::test]
async fn with_strict_headers_and_a_tag() {
    let answer = ask(site(), "GET /lib.rs HTTP/1.1\r\nhost: HERE").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with(include_str!("../../src/lib.rs")));
    for (name, value) in [
        ("content-type", SCRIPT),
        ("content-security-policy", POLICY),
        ("cache-control", "no-cache"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(header(&answer, name), value, "{name}");
    }
    let tag = header(&answer, "etag");
    assert_eq!(tag.len(), 66, "{tag}");
    let again = format!("GET /lib.rs HTTP/1.1\r\nhost: HERE\r\nif-none-match: \"old\", {tag}");
    let answer = ask(site(), &again).await;
    assert!(answer.starts_with("HTTP/1.1 304"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn and_not_to_a_page_of_elsewhere_which_learns_nothing() {
    for headers in [
        "host: evil.example.com",
        "host: HERE\r\norigin: http://evil.example.com",
        "host: HERE\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: no-cors",
    ] {
        let answer = ask(site(), &format!("GET /lib.rs HTTP/1.1\r\n{headers}")).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{headers}: {answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{headers}: {answer}");
        let policy = header(&answer, "content-security-policy");
        assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(header(&answer, "cache-control"), "no-store");
    }
}
