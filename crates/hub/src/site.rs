//! The site: the household's app and the page that checks bundles. Plain files of `web/`, inside the program, served at
//! `/`. They are for everybody: what they show comes from the API, which asks who that is.

use axum::Router;
use hearthline_pages::content_type::{DRAWING, HTML, MANIFEST, SCRIPT, STYLE};
use hearthline_pages::{Asset, assets};

const ASSETS: &[Asset] = assets! {
    in "web/";
    "/" => "index.html", HTML;
    "/join" => "index.html", HTML;
    "/verify/beside.js" => "verify/beside.js", SCRIPT;
    "/verify/bytes.js" => "verify/bytes.js", SCRIPT;
    "/verify/ed25519.js" => "verify/ed25519.js", SCRIPT;
    "/verify/entry.js" => "verify/entry.js", SCRIPT;
    "/verify/explained.js" => "verify/explained.js", SCRIPT;
    "/verify/json.js" => "verify/json.js", SCRIPT;
    "/verify/note.js" => "verify/note.js", SCRIPT;
    "/verify/parts.js" => "verify/parts.js", SCRIPT;
    "/verify/policy.js" => "verify/policy.js", SCRIPT;
    "/verify/sha2.js" => "verify/sha2.js", SCRIPT;
    "/verify/shown.js" => "verify/shown.js", SCRIPT;
    "/verify/stop.js" => "verify/stop.js", SCRIPT;
    "/verify/summary.js" => "verify/summary.js", SCRIPT;
    "/verify/tree.js" => "verify/tree.js", SCRIPT;
    "/verify/verify.js" => "verify/verify.js", SCRIPT;
    "/verify/worker.js" => "verify/worker.js", SCRIPT;
    "/verify/zip.js" => "verify/zip.js", SCRIPT;
    "/verify/shown.css" => "verify/shown.css", STYLE;
    "/verify.html" => "verify.html", HTML;
    "/base.css" => "base.css", STYLE;
    "/app.css" => "app.css", STYLE;
    "/app.js" => "app.js", SCRIPT;
    "/api.js" => "api.js", SCRIPT;
    "/dom.js" => "dom.js", SCRIPT;
    "/pages.js" => "pages.js", SCRIPT;
    "/push.js" => "push.js", SCRIPT;
    "/parts.js" => "parts.js", SCRIPT;
    "/ring.js" => "ring.js", SCRIPT;
    "/sw.js" => "sw.js", SCRIPT;
    "/topics.js" => "topics.js", SCRIPT;
    "/call/emergency.js" => "call/emergency.js", SCRIPT;
    "/call/identity.js" => "call/identity.js", SCRIPT;
    "/call/media.js" => "call/media.js", SCRIPT;
    "/call/session.js" => "call/session.js", SCRIPT;
    "/call/sheet.js" => "call/sheet.js", SCRIPT;
    "/call/telephone.js" => "call/telephone.js", SCRIPT;
    "/call/tones.js" => "call/tones.js", SCRIPT;
    "/device/bytes.js" => "device/bytes.js", SCRIPT;
    "/device/certificate.js" => "device/certificate.js", SCRIPT;
    "/device/der.js" => "device/der.js", SCRIPT;
    "/device/enrolment.js" => "device/enrolment.js", SCRIPT;
    "/sip/agent.js" => "sip/agent.js", SCRIPT;
    "/sip/call.js" => "sip/call.js", SCRIPT;
    "/sip/connection.js" => "sip/connection.js", SCRIPT;
    "/sip/message.js" => "sip/message.js", SCRIPT;
    "/voice/capture.js" => "voice/capture.js", SCRIPT;
    "/voice/g722.js" => "voice/g722.js", SCRIPT;
    "/voice/recording.js" => "voice/recording.js", SCRIPT;
    "/pages/phone.js" => "pages/phone.js", SCRIPT;
    "/pages/calls.js" => "pages/calls.js", SCRIPT;
    "/pages/contacts.js" => "pages/contacts.js", SCRIPT;
    "/pages/day.js" => "pages/day.js", SCRIPT;
    "/pages/routines.js" => "pages/routines.js", SCRIPT;
    "/pages/home.js" => "pages/home.js", SCRIPT;
    "/pages/incidents.js" => "pages/incidents.js", SCRIPT;
    "/pages/lines.js" => "pages/lines.js", SCRIPT;
    "/pages/messages.js" => "pages/messages.js", SCRIPT;
    "/pages/readiness.js" => "pages/readiness.js", SCRIPT;
    "/pages/settings.js" => "pages/settings.js", SCRIPT;
    "/icon.svg" => "icon.svg", DRAWING;
    "/manifest.webmanifest" => "manifest.webmanifest", MANIFEST;
};

/// Routes of every file.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    hearthline_pages::router(ASSETS)
}

#[cfg(test)]
mod tests {
    use hearthline_pages::{faults, loaded, weight_bytes};

    use super::*;

    /// A page with everything that it loads (issue: 300 kB).
    const WEIGHT_BYTES_MAX: usize = 300_000;

    #[test]
    fn every_page_is_light_with_all_that_it_loads() {
        // What the app asks for by itself, beside its page.
        let shell = ["/", "/sw.js", "/icon.svg", "/manifest.webmanifest"];
        let places = ASSETS.iter().map(|asset| asset.path);
        for place in places.filter(|path| path.starts_with("/pages/")) {
            let mut roots = shell.to_vec();
            roots.push(place);
            let page = loaded(ASSETS, &roots);
            // A checker runs beside the page on which a bundle is looked at.
            if page.iter().any(|asset| asset.path == "/verify/shown.js") {
                roots.push("/verify/beside.js");
            }
            let page = weight_bytes(loaded(ASSETS, &roots));
            println!("{place} {page} bytes");
            assert!(page <= WEIGHT_BYTES_MAX, "{place}: {page} bytes");
        }
        let verify = weight_bytes(loaded(ASSETS, &["/verify.html"]));
        let rest = ASSETS
            .iter()
            .filter(|asset| asset.path != "/verify.html" && asset.path != "/join");
        let whole = weight_bytes(rest);
        println!("verify.html {verify} bytes; all places of the app and its checker {whole}");
        assert!(verify <= WEIGHT_BYTES_MAX, "{verify} bytes");
    }

    #[test]
    fn every_file_that_is_asked_for_is_served_and_nothing_comes_from_elsewhere() {
        assert_eq!(faults(ASSETS), Vec::<String>::new());
    }

    #[test]
    fn the_page_of_one_file_keeps_its_own_policy() {
        let page = ASSETS
            .iter()
            .find(|asset| asset.path == "/verify.html")
            .unwrap();
        let policy = page.policy();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'sha256-"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    }
}
