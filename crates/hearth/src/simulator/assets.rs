//! The page's files, inside the program. They stand beside the app's, whose look they share.

use axum::Router;
use hearthline_pages::content_type::{DRAWING, HTML, MANIFEST, SCRIPT, STYLE};
use hearthline_pages::{Asset, assets};

const ASSETS: &[Asset] = assets! {
    in "../hub/web/";
    "/" => "simulator/index.html", HTML;
    "/manifest.webmanifest" => "simulator/simulator.webmanifest", MANIFEST;
    "/simulator.css" => "simulator/simulator.css", STYLE;
    "/simulator.js" => "simulator/simulator.js", SCRIPT;
    "/device.js" => "simulator/device.js", SCRIPT;
    "/holding.js" => "simulator/holding.js", SCRIPT;
    "/level.js" => "simulator/level.js", SCRIPT;
    "/sound.js" => "simulator/sound.js", SCRIPT;
    "/timeline.js" => "simulator/timeline.js", SCRIPT;
    "/verify.html" => "verify.html", HTML;
    "/base.css" => "base.css", STYLE;
    "/dom.js" => "dom.js", SCRIPT;
    "/ring.js" => "ring.js", SCRIPT;
    "/icon.svg" => "icon.svg", DRAWING;
};

/// Routes of every file.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    hearthline_pages::router(ASSETS)
}

#[cfg(test)]
mod tests {
    use hearthline_pages::{faults, weight_bytes};

    use super::*;

    /// The 300 kB are for all pages; the page of one file is counted with the app.
    const WEIGHT_BYTES_MAX: usize = 80_000;

    #[test]
    fn the_page_is_light_and_whole_and_comes_from_nowhere_else() {
        let weight = weight_bytes(ASSETS.iter().filter(|asset| asset.path != "/verify.html"));
        println!("simulator {weight} bytes");
        assert!(weight <= WEIGHT_BYTES_MAX, "{weight} bytes");
        assert_eq!(faults(ASSETS), Vec::<String>::new());
    }
}
