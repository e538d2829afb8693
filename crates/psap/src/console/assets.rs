//! The page's files, inside the program.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::routing::get;

/// Nothing inline, nothing from elsewhere.
pub(crate) const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

struct Asset {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($path:literal => $file:literal, $content_type:expr;)+) => {
        const ASSETS: &[Asset] = &[$(Asset {
            path: $path,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../../", $file)),
        }),+];
    };
}

assets! {
    "/" => "web/index.html", HTML;
    "/console.css" => "web/console.css", STYLE;
    "/console.js" => "web/console.js", SCRIPT;
    "/call.js" => "web/call.js", SCRIPT;
    "/map.js" => "web/map.js", SCRIPT;
    "/bell.js" => "web/bell.js", SCRIPT;
    "/line.js" => "web/line.js", SCRIPT;
    "/base.css" => "../hub/web/base.css", STYLE;
    "/dom.js" => "../hub/web/dom.js", SCRIPT;
    "/ring.js" => "../hub/web/ring.js", SCRIPT;
    "/icon.svg" => "../hub/web/icon.svg", "image/svg+xml";
}

/// Routes of every file.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        router.route(asset.path, get(move || async move { answer(asset) }))
    })
}

type Headers = [(HeaderName, &'static str); 2];

fn answer(asset: &'static Asset) -> (Headers, &'static [u8]) {
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, asset.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 300 kB are for all pages; a console is a small part of them.
    const WEIGHT_BYTES_MAX: usize = 80_000;

    #[test]
    fn the_page_is_light_and_whole_and_comes_from_nowhere_else() {
        let weight: usize = ASSETS.iter().map(|asset| asset.bytes.len()).sum();
        println!("console {weight} bytes");
        assert!(weight <= WEIGHT_BYTES_MAX, "{weight} bytes");
        for asset in ASSETS {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            let foreign = ["https://", "http://"].iter().any(|scheme| {
                text.match_indices(scheme)
                    .any(|(at, _)| !text[at..].starts_with("http://www.w3.org/2000/svg"))
            });
            assert!(!foreign, "{} names an address", asset.path);
            for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval("] {
                assert!(!text.contains(way), "{} uses {way}", asset.path);
            }
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                let named = line.split('"').nth(1).unwrap().trim_start_matches('.');
                assert!(
                    ASSETS.iter().any(|other| other.path == named),
                    "{} imports {named}, which is not served",
                    asset.path
                );
            }
        }
    }
}
