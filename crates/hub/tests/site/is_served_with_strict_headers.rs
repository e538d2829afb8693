//! The files of the site over HTTPS: their types, their policy, their tags, and that nobody has to sign in for them.

use crate::household::Household;

#[tokio::test]
async fn to_everybody_with_type_policy_and_tag() {
    let home = Household::new().await;
    let mut client = home.anonymous();
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/base.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/verify.html", "text/html; charset=utf-8"),
    ] {
        let (status, headers, body) = client.send_bytes("GET", path, Vec::new()).await;
        assert_eq!(status, 200, "{path}");
        assert_eq!(headers["content-type"], content_type, "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(headers["cache-control"], "no-cache", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; "),
            "{path}: {policy}"
        );
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        for loose in ["unsafe", "*", "http", "data:"] {
            assert!(!policy.contains(loose), "{path}: {policy}");
        }
        assert!(!body.is_empty(), "{path}");

        let tag = headers["etag"].to_str().unwrap().to_owned();
        client.header("if-none-match", &format!("\"other\", {tag}"));
        let (status, headers, body) = client.send_bytes("GET", path, Vec::new()).await;
        assert_eq!((status, body.len()), (304, 0), "{path}");
        assert_eq!(headers["etag"], tag.as_str(), "{path}");
        client.header("if-none-match", "\"other\"");
        let (status, ..) = client.send_bytes("GET", path, Vec::new()).await;
        assert_eq!(status, 200, "{path}");
    }
}

#[tokio::test]
async fn and_nothing_else_of_the_folder_is() {
    let home = Household::new().await;
    let client = home.anonymous();
    for path in [
        "/verify/page.js",
        "/index.html",
        "/../Cargo.toml",
        "/pages/../api.js",
        "/%2e%2e/Cargo.toml",
        "/pages/",
    ] {
        assert_eq!(
            client.send_bytes("GET", path, Vec::new()).await.0,
            404,
            "{path}"
        );
    }
    assert_eq!(client.send_bytes("POST", "/", Vec::new()).await.0, 405);
    assert_eq!(
        client.send_bytes("HEAD", "/app.js", Vec::new()).await.0,
        200
    );
}
