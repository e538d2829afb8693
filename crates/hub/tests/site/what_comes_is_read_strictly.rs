//! What the app's readers take and refuse, without a browser: Node runs them. The certificate request that the app makes is
//! one that the hub takes.

use hearthline_hub::certificate_request::CertificateRequest;

use crate::browser::script;

#[test]
fn sip_certificates_identities_and_numbers() {
    let here = env!("CARGO_MANIFEST_DIR");
    let (web, torture) = (
        format!("{here}/web"),
        format!("{here}/../../../shared/conformance/rfc4475"),
    );
    let Some(mut command) = script("what_comes_is_read_strictly.mjs", &[&web, &torture]) else {
        return;
    };
    let output = command.output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}{err}");
    println!("{out}");
    let path = out.trim().rsplit(' ').next().unwrap();
    let request = std::fs::read(path).unwrap();
    CertificateRequest::from_der(&request).unwrap();
}
