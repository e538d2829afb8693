//! The client asks at start, keeps the answer through a restart, refreshes it on expiry.

use std::time::Duration;

use crate::support::{mapping, ms, profile, servers, wall};
use hearthline_emergency::lost::{
    Expires, FindServiceResponse, LocationValidation, LostRequest, LostResponse,
};
use hearthline_emergency::lost_client::{
    LostClient, LostConfig, LostOutput, LostPost, LostReply, locations_of, route_of,
};
use hearthline_emergency::service::ServiceUrn;
use hearthline_emergency::timestamp::Timestamp;

struct Bench {
    client: LostClient,
    now: Duration,
    posts: Vec<LostPost>,
    saved: usize,
    timeout: Option<Duration>,
}

impl Bench {
    fn new() -> Bench {
        let config = LostConfig {
            servers: servers(),
            ..LostConfig::default()
        };
        Bench {
            client: LostClient::new(config),
            now: ms(1_000),
            posts: vec![],
            saved: 0,
            timeout: None,
        }
    }

    fn wall(&self) -> Timestamp {
        wall().plus_seconds(i64::try_from(self.now.as_secs()).unwrap())
    }

    fn start(&mut self) {
        let profile = profile();
        let locations = locations_of(profile.civic.as_ref(), profile.shape.as_ref());
        self.client
            .start(locations, vec![ServiceUrn::SOS], self.now, self.wall());
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.client.poll_output() {
                LostOutput::Post(post) => self.posts.push(post),
                LostOutput::CacheChanged => self.saved += 1,
                LostOutput::Event(_) => {}
                LostOutput::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
            }
        }
    }

    fn reply(&mut self, reply: &LostReply<'_>) {
        let request = self.posts.last().unwrap().request;
        self.client
            .handle_reply(request, reply, self.now, self.wall());
        self.drain();
    }

    fn answer(&mut self, expires: Expires) {
        let body = LostResponse::FindService(FindServiceResponse {
            mappings: vec![mapping("sip:psap@127.0.0.1:5090", expires)],
            validation: Some(LocationValidation {
                invalid: vec!["HNO".to_owned()],
                ..LocationValidation::default()
            }),
            warnings: vec![],
            path: vec!["lost.example.test".to_owned()],
            location_used: None,
        })
        .to_bytes();
        self.reply(&LostReply::Http {
            status: 200,
            content_type: "application/lost+xml",
            body: &body,
        });
    }

    fn pass_timeout(&mut self) {
        self.now = self.timeout.expect("the client has a plan");
        let wall = self.wall();
        self.client.handle_timeout(self.now, wall);
        self.drain();
    }
}

#[test]
fn it_asks_at_start_validates_the_address_and_saves() {
    let mut bench = Bench::new();
    bench.start();
    let LostRequest::FindService(find) = LostRequest::parse(&bench.posts[0].body).unwrap() else {
        panic!("a findService was posted");
    };
    assert!(find.validate_location);
    assert_eq!(find.locations.len(), 2);
    bench.answer(Expires::At(wall().plus_seconds(3_600)));
    assert_eq!(bench.saved, 1);
    assert_eq!(bench.client.invalid_elements(), ["HNO"]);
    let at_call = bench.client.at_call(&ServiceUrn::POLICE, bench.wall());
    let (cached, expired) = at_call.cached.expect("sos stands in for sos.police");
    assert!(!expired);
    assert_eq!(
        route_of(&cached.mapping).unwrap().as_str(),
        "sip:psap@127.0.0.1:5090"
    );
}

#[test]
fn it_refreshes_on_expiry_and_flags_what_has_expired() {
    let mut bench = Bench::new();
    bench.start();
    bench.answer(Expires::At(wall().plus_seconds(3_600)));
    bench.pass_timeout();
    assert_eq!(bench.posts.len(), 2);
    assert!(
        (3_590..=3_601).contains(&bench.now.as_secs()),
        "{:?}",
        bench.now
    );
    bench.now = Duration::from_secs(5_000);
    let (_, expired) = bench
        .client
        .at_call(&ServiceUrn::SOS, bench.wall())
        .cached
        .unwrap();
    assert!(expired);
}

#[test]
fn no_cache_is_kept_for_the_worst_case_and_no_expiration_is_refreshed_daily() {
    for (expires, expired) in [(Expires::NoCache, true), (Expires::NoExpiration, false)] {
        let mut bench = Bench::new();
        bench.start();
        bench.answer(expires);
        assert_eq!(
            bench
                .client
                .at_call(&ServiceUrn::SOS, bench.wall())
                .cached
                .unwrap()
                .1,
            expired
        );
        assert_eq!(
            bench.timeout.unwrap() - bench.now,
            Duration::from_secs(86_400)
        );
    }
}

#[test]
fn a_dead_server_is_asked_again_with_a_growing_wait() {
    let mut bench = Bench::new();
    bench.start();
    let mut waits = vec![];
    for _ in 0..9 {
        bench.reply(&LostReply::Failed);
        waits.push((bench.timeout.unwrap() - bench.now).as_secs());
        bench.pass_timeout();
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
}

#[test]
fn a_silent_server_is_given_up_after_its_time() {
    let mut bench = Bench::new();
    bench.start();
    bench.pass_timeout();
    assert_eq!(bench.now, ms(6_000));
    assert_eq!(bench.timeout, Some(ms(11_000)), "the next try");
}

#[test]
fn the_cache_survives_a_restart_byte_for_byte() {
    let mut bench = Bench::new();
    bench.start();
    bench.answer(Expires::At(wall().plus_seconds(3_600)));
    let bytes = bench.client.cache_bytes();
    let mut again = Bench::new();
    assert_eq!(again.client.restore(&bytes), Ok(1));
    assert_eq!(again.client.cache_bytes(), bytes);
    again.start();
    assert!(
        again
            .client
            .at_call(&ServiceUrn::SOS, again.wall())
            .cached
            .is_some(),
        "before any answer"
    );
}

#[test]
fn a_mapping_of_another_place_is_not_used() {
    let mut bench = Bench::new();
    bench.start();
    bench.answer(Expires::NoExpiration);
    let mut profile = profile();
    profile.shape = None;
    let locations = locations_of(profile.civic.as_ref(), None);
    bench
        .client
        .start(locations, vec![ServiceUrn::SOS], bench.now, bench.wall());
    assert!(
        bench
            .client
            .at_call(&ServiceUrn::SOS, bench.wall())
            .cached
            .is_none()
    );
}

#[test]
fn a_cut_or_foreign_cache_file_is_refused_with_its_line() {
    let mut bench = Bench::new();
    bench.start();
    bench.answer(Expires::NoExpiration);
    let bytes = bench.client.cache_bytes();
    for length in 0..bytes.len() {
        let mut client = LostClient::new(LostConfig::default());
        let result = client.restore(&bytes[..length]);
        // The head alone is an empty cache.
        assert_eq!(
            result.is_ok(),
            length == b"hearthline-lost-cache 1\n".len(),
            "{length}"
        );
    }
    let mut client = LostClient::new(LostConfig::default());
    let error = client.restore(b"{\"json\":1}\n").unwrap_err();
    assert!(error.to_string().contains("line 1"), "{error}");
}
