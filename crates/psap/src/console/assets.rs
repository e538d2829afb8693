//! The page's files, inside the program.

use axum::Router;
use hearthline_pages::content_type::{DRAWING, HTML, SCRIPT, STYLE};
use hearthline_pages::{Asset, assets};

const ASSETS: &[Asset] = assets! {
    in "";
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
    "/icon.svg" => "../hub/web/icon.svg", DRAWING;
};

/// Routes of every file.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    hearthline_pages::router(ASSETS)
}

#[cfg(test)]
mod tests {
    use hearthline_pages::{faults, weight_bytes};

    use super::*;

    /// The 300 kB are for all pages; a console is a small part of them.
    const WEIGHT_BYTES_MAX: usize = 80_000;

    #[test]
    fn the_page_is_light_and_whole_and_comes_from_nowhere_else() {
        let weight = weight_bytes(ASSETS.iter());
        println!("console {weight} bytes");
        assert!(weight <= WEIGHT_BYTES_MAX, "{weight} bytes");
        assert_eq!(faults(ASSETS), Vec::<String>::new());
    }
}
