//! REGISTERs from anywhere: the registrar never panics, keeps its bounds, tells the store every
//! row, and forgets everything in time.
#![no_main]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use hearthline_sip::outbound::{Flow, FlowId, FlowTransport};
use hearthline_sip::registrar::{
    Aor, Binding, BindingKey, Registering, Registrar, RegistrarConfig, RegistrarOutput,
};
use hearthline_sip::{Host, Limits, Message, Method, Uri, parse_datagram};
use libfuzzer_sys::fuzz_target;

fn drain(
    registrar: &mut Registrar,
    store: &mut BTreeMap<BindingKey, Binding>,
    now: Duration,
) -> Option<Duration> {
    loop {
        match registrar.poll_output(now) {
            RegistrarOutput::Store(row) => {
                store.insert(row.key(), *row);
            }
            RegistrarOutput::Remove(key) => {
                assert!(store.remove(&key).is_some(), "removed what was not there");
            }
            RegistrarOutput::Left { .. } => {}
            RegistrarOutput::Timeout(at) => {
                assert_eq!(store.len(), registrar.binding_count());
                return at;
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let domains = vec![Host::parse("home.example").expect("a host")];
    let mut config = RegistrarConfig::new([1; 32], [2; 32], domains);
    config.limits.bindings_per_aor_max = 4;
    config.limits.bindings_max = 6;
    let mut registrar = Registrar::new(config.clone(), Vec::new(), Duration::ZERO);
    let mut store = BTreeMap::new();
    let mut now = Duration::ZERO;
    let owners = ["sip:anna@home.example", "sip:bert@home.example"]
        .map(|text| Aor::from_column(text).expect("an address of record"));
    for piece in data.split(|byte| *byte == 0xFF) {
        let Some((head, bytes)) = piece.split_first() else {
            continue;
        };
        now += Duration::from_secs(u64::from(head >> 5) * 30);
        let flow = FlowId(u64::from(head % 4) + 1);
        if head % 16 == 15 {
            registrar.flow_closed(flow);
        }
        if let Ok(Message::Request(request)) = parse_datagram(bytes, &Limits::default())
            && request.method == Method::Register
        {
            let transport = FlowTransport::ALL[usize::from(head % 5)];
            let remote = SocketAddr::from(([127, 0, 0, 1], 5060));
            let owner = &owners[usize::from(head & 1)];
            let input = Registering {
                request: &request,
                flow: Flow {
                    id: flow,
                    transport,
                    local: remote,
                    remote,
                },
                owner,
                unix_time_s: Some(now.as_secs()),
            };
            drain(&mut registrar, &mut store, now);
            let before = store.clone();
            let response = registrar.register(&input, now);
            drain(&mut registrar, &mut store, now);
            if !response.status.is_success() {
                assert_eq!(before, store, "a refused request changed something");
            }
            for (key, row) in &store {
                assert!(
                    key.aor == *owner || before.contains_key(key),
                    "somebody else's row"
                );
                let found = registrar.lookup(&row.aor.to_uri(), now);
                assert!(found.is_ok_and(|groups| !groups.is_empty()));
            }
            // Whatever addresses it gave out lead back to the device.
            for contact in response
                .headers
                .contacts()
                .iter()
                .flat_map(|contacts| match contacts {
                    hearthline_sip::typed::Contacts::List(list) => list.clone(),
                    hearthline_sip::typed::Contacts::Star => Vec::new(),
                })
            {
                for name in ["pub-gruu", "temp-gruu"] {
                    if let Some(Ok(Uri::Sip(uri))) = contact.params.get(name).map(Uri::parse) {
                        assert!(registrar.lookup(&uri, now).is_ok(), "{name} {uri}");
                    }
                }
            }
        }
        drain(&mut registrar, &mut store, now);
        assert!(registrar.binding_count() <= 6);
        for owner in &owners {
            assert!(registrar.bindings(owner, now).count() <= 4);
        }
    }
    // A restart with the rows of the store has the same bindings.
    let rows: Vec<Binding> = store.values().cloned().collect();
    let again = Registrar::new(config, rows, now);
    assert_eq!(again.binding_count(), registrar.binding_count());
    let mut rounds = 0;
    while let Some(at) = drain(&mut registrar, &mut store, now) {
        now = now.max(at);
        rounds += 1;
        assert!(rounds < 100, "the timers never end");
    }
    assert!(store.is_empty() && registrar.aor_count() == 0);
});
