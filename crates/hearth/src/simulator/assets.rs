//! The page's files, inside the program. They stand beside the app's, whose look they share.
use axum::Router;
use axum::http::{HeaderName, header};
use axum::routing::get;

/// Nothing inline, nothing from elsewhere.
pub(super) const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
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
            bytes: include_bytes!(concat!("../../../hub/web/", $file)),
        }),+];
    };
}

assets! {
    "/" => "simulator/index.html", HTML;
    "/simulator.css" => "simulator/simulator.css", STYLE;
    "/simulator.js" => "simulator/simulator.js", SCRIPT;
    "/device.js" => "simulator/device.js", SCRIPT;
    "/level.js" => "simulator/level.js", SCRIPT;
    "/sound.js" => "simulator/sound.js", SCRIPT;
    "/timeline.js" => "simulator/timeline.js", SCRIPT;
    "/verify.html" => "verify.html", HTML;
    "/base.css" => "base.css", STYLE;
    "/dom.js" => "dom.js", SCRIPT;
    "/ring.js" => "ring.js", SCRIPT;
    "/icon.svg" => "icon.svg", "image/svg+xml";
}

/// Routes of every file.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
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

    /// The 300 kB are for all pages; the page of one file is counted with the app.
    const WEIGHT_BYTES_MAX: usize = 80_000;

    #[test]
    fn the_page_is_light_and_whole_and_comes_from_nowhere_else() {
        let own = || ASSETS.iter().filter(|asset| asset.path != "/verify.html");
        let weight: usize = own().map(|asset| asset.bytes.len()).sum();
        println!("simulator {weight} bytes");
        assert!(weight <= WEIGHT_BYTES_MAX, "{weight} bytes");
        for asset in own() {
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
