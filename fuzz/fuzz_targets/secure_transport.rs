//! Datagrams from anybody into a secure transport that waits, shakes hands or talks.
#![no_main]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hearthline_media::secure::{DtlsRole, IceRole, SecureConfig, SecureOutput, SecureTransport};
use libfuzzer_sys::fuzz_target;

fn transport(role: IceRole, address: SocketAddr, origin: Instant) -> SecureTransport {
    thread_local! {
        static IDENTITY: (Vec<u8>, Vec<u8>) = {
            let Ok(pair) = rcgen::KeyPair::generate() else { unreachable!("randomness is there") };
            let Ok(made) = rcgen::CertificateParams::default().self_signed(&pair) else {
                unreachable!("a certificate of nothing signs")
            };
            (made.der().to_vec(), pair.serialize_der())
        };
    }
    let (certificate, key) = IDENTITY.with(Clone::clone);
    let config = SecureConfig {
        role,
        certificate,
        private_key: key.into(),
        addresses: vec![address],
        seed: [7; 32],
        origin,
    };
    match SecureTransport::new(config, Duration::ZERO) {
        Ok(transport) => transport,
        Err(error) => unreachable!("{error}"),
    }
}

/// Carries what `from` says to `to`; true when it let a media packet through.
fn carry(from: &mut SecureTransport, to: &mut SecureTransport, now: Duration) -> bool {
    let mut heard = false;
    loop {
        match from.poll_output() {
            SecureOutput::Transmit {
                from,
                to: at,
                bytes,
            } => to.handle_datagram(from, at, &bytes, now),
            SecureOutput::Rtp(_) | SecureOutput::Rtcp(_) => heard = true,
            SecureOutput::Event(_) => {}
            SecureOutput::Timeout(_) => return heard,
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&steps, mut rest)) = bytes.split_first() else {
        return;
    };
    let (here, there) = (([192, 0, 2, 1], 4000).into(), ([192, 0, 2, 2], 4000).into());
    let origin = Instant::now();
    let mut near = transport(IceRole::Controlling, here, origin);
    let mut far = transport(IceRole::Controlled, there, origin);
    let mut now = Duration::ZERO;
    if steps & 1 == 1 {
        let (offer, answer) = (near.local(), far.local());
        let _ = far.set_remote(offer, DtlsRole::Client, now);
        let _ = near.set_remote(answer, DtlsRole::Server, now);
    }
    for _ in 0..steps >> 1 {
        now += Duration::from_millis(10);
        near.handle_timeout(now);
        far.handle_timeout(now);
        carry(&mut near, &mut far, now);
        carry(&mut far, &mut near, now);
    }
    while let Some((&length, more)) = rest.split_first() {
        let (datagram, more) = more.split_at(usize::from(length).min(more.len()));
        rest = more;
        now += Duration::from_millis(5);
        near.handle_datagram(there, here, datagram, now);
        near.handle_timeout(now);
        assert!(!carry(&mut near, &mut far, now), "nobody sent media");
    }
});
