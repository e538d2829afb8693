//! One announced service: its name is asked for, announced, answered, and taken back.
use core::time::Duration;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use super::message::{A, ANY, Data, Message, Name, Question, Record, SRV, TXT};

/// The port of multicast DNS; who asks from another is a plain DNS client (RFC 6762 section 6.7).
pub const PORT: u16 = 5353;
/// How long addresses and places hold, and the rest, in seconds (section 10).
const HOST_TTL_S: u32 = 120;
const OTHER_TTL_S: u32 = 4_500;
/// To a plain DNS client (section 6.7).
const LEGACY_TTL_S: u32 = 10;
const PROBES: u8 = 3;
const PROBE_EVERY: Duration = Duration::from_millis(250);
const ANNOUNCEMENTS: u8 = 2;
const ANNOUNCE_EVERY: Duration = Duration::from_secs(1);
/// No record is told to all more often (section 6).
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// An answer that others may have as well waits so long at least, and up to a tenth of a second more.
const SHARED_WAIT: Duration = Duration::from_millis(20);
/// More of what is known follows (section 7.2).
const TRUNCATED_WAIT: Duration = Duration::from_millis(450);
/// Who finds its name taken so often waits (section 8.1).
const RENAMED_MAX: u32 = 15;
const RENAMED_WAIT: Duration = Duration::from_secs(5);
/// Most answers that wait.
const WAITING_MAX: usize = 64;
/// Longest word of a TXT record, in bytes.
const WORD_BYTES_MAX: usize = 255;

/// What is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `_wyoming` or `_esphomelib`; all go over TCP.
    pub kind: &'static str,
    /// As people see it: `Kitchen`.
    pub instance: String,
    /// Host name, without `local`.
    pub host: String,
    /// Where it listens.
    pub address: Ipv4Addr,
    /// Where it listens.
    pub port: u16,
    /// Words: key and value.
    pub text: Vec<(&'static str, String)>,
}

/// To whom a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// The group.
    Everybody,
    /// Who asked.
    One(SocketAddr),
}

/// What the responder wants.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a dropped output is a lost message"]
pub enum Output {
    /// Send this.
    Send(To, Vec<u8>),
    /// Nothing more now; hand in the time then.
    Timeout(Option<Duration>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Probing { left: u8, at: Duration },
    Announcing { left: u8, at: Duration },
    Standing,
}

/// The responder.
#[derive(Debug)]
pub struct Responder {
    service: Service,
    /// "Kitchen (2)" is the second.
    number: u32,
    state: State,
    seed: u64,
    /// Answers to all that wait, and when.
    waiting: VecDeque<(Duration, Vec<Record>)>,
    told_at: Option<Duration>,
    out: VecDeque<(To, Vec<u8>)>,
}

impl Responder {
    /// Begins to ask for the name. `seed` spreads moments.
    #[must_use]
    pub fn new(service: Service, seed: u64, now: Duration) -> Self {
        let mut responder = Self {
            service,
            number: 1,
            state: State::Standing,
            seed,
            waiting: VecDeque::new(),
            told_at: None,
            out: VecDeque::new(),
        };
        let at = now + Duration::from_millis(responder.below(250));
        responder.state = State::Probing { left: PROBES, at };
        responder
    }

    /// The name under which it is known: `Kitchen (2)`.
    #[must_use]
    pub fn instance(&self) -> String {
        match self.number {
            1 => self.service.instance.clone(),
            number => format!("{} ({number})", self.service.instance),
        }
    }

    /// A datagram. What is no message is nobody's business.
    pub fn handle_datagram(&mut self, bytes: &[u8], from: SocketAddr, now: Duration) {
        let Ok(message) = Message::read(bytes) else {
            return;
        };
        if message.response {
            self.others_say(&message, now);
        } else if matches!(self.state, State::Probing { .. }) {
            self.others_probe(&message, now);
        } else {
            self.asked(&message, from, now);
        }
    }

    /// The time of [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        match self.state {
            State::Probing { left, at } if at <= now => {
                if left == 0 {
                    self.state = State::Announcing {
                        left: ANNOUNCEMENTS,
                        at: now,
                    };
                    return self.handle_timeout(now);
                }
                let probe = self.probe();
                self.out.push_back((To::Everybody, probe));
                self.state = State::Probing {
                    left: left - 1,
                    at: now + PROBE_EVERY,
                };
            }
            State::Announcing { left, at } if at <= now => {
                let records = self.all();
                self.tell(records, now);
                self.state = match left - 1 {
                    0 => State::Standing,
                    left => State::Announcing {
                        left,
                        at: now + ANNOUNCE_EVERY,
                    },
                };
            }
            _ => {}
        }
        while self.waiting.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, records)) = self.waiting.pop_front() {
                self.tell(records, now);
            }
        }
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Output {
        if let Some((to, bytes)) = self.out.pop_front() {
            return Output::Send(to, bytes);
        }
        let state = match self.state {
            State::Probing { at, .. } | State::Announcing { at, .. } => Some(at),
            State::Standing => None,
        };
        let waiting = self.waiting.front().map(|(at, _)| *at);
        Output::Timeout(state.into_iter().chain(waiting).min())
    }

    /// What takes the service back (section 10.1).
    #[must_use]
    pub fn goodbye(&self) -> Vec<u8> {
        let gone = |mut record: Record| {
            record.ttl_s = 0;
            record
        };
        // The host's address may be another service's as well.
        let answers = vec![gone(self.pointer()), gone(self.place()), gone(self.words())];
        response(answers, Vec::new()).write()
    }

    /// Somebody else's answer: does it say something else about our names?
    fn others_say(&mut self, message: &Message, now: Duration) {
        let (instance, host) = (self.name(), self.host());
        let records = message.answers.iter().chain(&message.additionals);
        let conflict = records.filter(|record| record.ttl_s > 0).any(|record| {
            let own = match record.data.kind() {
                SRV if record.name == instance => self.place().data,
                TXT if record.name == instance => self.words().data,
                A if record.name == host => self.address().data,
                _ => return false,
            };
            record.data != own
        });
        if !conflict {
            return;
        }
        self.waiting.clear();
        if !matches!(self.state, State::Probing { .. }) {
            // Who has it by right answers the probe (section 9).
            let (left, at) = (PROBES, now);
            self.state = State::Probing { left, at };
            return;
        }
        self.number = self.number.saturating_add(1);
        let wait = if self.number > RENAMED_MAX {
            RENAMED_WAIT
        } else {
            Duration::ZERO
        };
        self.state = State::Probing {
            left: PROBES,
            at: now + wait,
        };
    }

    /// Somebody asks for our name at the same time: the later in order has it, the other asks again (section 8.2).
    fn others_probe(&mut self, message: &Message, now: Duration) {
        let name = self.name();
        let theirs = message.authorities.iter().find_map(|record| {
            let Data::Srv { port, .. } = &record.data else {
                return None;
            };
            (record.name == name).then_some(*port)
        });
        if theirs.is_some_and(|port| port > self.service.port) {
            let (left, at) = (PROBES, now + TOLD_EVERY);
            self.state = State::Probing { left, at };
        }
    }

    fn asked(&mut self, message: &Message, from: SocketAddr, now: Duration) {
        let legacy = from.port() != PORT;
        // Whoever asks for our name must hear at once that it is taken.
        let probe = !message.authorities.is_empty();
        let (mut alone, mut all, mut shared) = (Vec::new(), Vec::new(), false);
        for question in &message.questions {
            for record in self.answers_to(question) {
                // What the asker knows well enough is not repeated (section 7.1).
                let known = message.answers.iter().any(|known| {
                    known.name == record.name
                        && known.data == record.data
                        && known.ttl_s >= record.ttl_s / 2
                });
                if known && !legacy && !probe {
                    continue;
                }
                shared |= !record.flush;
                // Several programs share the port, and what goes to one of them alone reaches any of them: all are told.
                let list = if legacy { &mut alone } else { &mut all };
                if !list.contains(&record) {
                    list.push(record);
                }
            }
        }
        if !alone.is_empty() {
            let additionals = self.useful_beside(&alone);
            let mut answer = response(alone, additionals);
            if legacy {
                answer.id = message.id;
                answer.questions.clone_from(&message.questions);
                let records = answer.answers.iter_mut().chain(&mut answer.additionals);
                for record in records {
                    record.flush = false;
                    record.ttl_s = record.ttl_s.min(LEGACY_TTL_S);
                }
            }
            self.out.push_back((To::One(from), answer.write()));
        }
        if !all.is_empty() && self.waiting.len() < WAITING_MAX {
            if probe {
                return self.tell(all, now);
            }
            let wait = match (message.truncated, shared) {
                (true, _) => TRUNCATED_WAIT,
                (false, true) => SHARED_WAIT + Duration::from_millis(self.below(100)),
                (false, false) => Duration::ZERO,
            };
            let free = self.told_at.map_or(now, |told| told + TOLD_EVERY);
            self.wait_with(all, free.max(now + wait));
            self.handle_timeout(now);
        }
    }

    /// Answers that go at about the same time go together.
    fn wait_with(&mut self, records: Vec<Record>, at: Duration) {
        match self.waiting.back_mut() {
            Some((when, waiting)) if *when >= at => {
                for record in records {
                    if !waiting.contains(&record) {
                        waiting.push(record);
                    }
                }
            }
            _ => self.waiting.push_back((at, records)),
        }
    }

    fn tell(&mut self, answers: Vec<Record>, now: Duration) {
        let additionals = self.useful_beside(&answers);
        let bytes = response(answers, additionals).write();
        self.out.push_back((To::Everybody, bytes));
        self.told_at = Some(now);
    }

    /// Three times before a name is used (section 8.1).
    fn probe(&self) -> Vec<u8> {
        let ask = |name: Name| Question {
            name,
            kind: ANY,
            unicast: true,
        };
        let wants = |mut record: Record| {
            record.flush = false;
            record
        };
        Message {
            questions: vec![ask(self.name()), ask(self.host())],
            authorities: vec![
                wants(self.place()),
                wants(self.words()),
                wants(self.address()),
            ],
            ..Message::default()
        }
        .write()
    }

    fn answers_to(&self, question: &Question) -> Vec<Record> {
        let all = self.all();
        all.into_iter()
            .chain([self.kind_pointer()])
            .filter(|record| record.name == question.name)
            .filter(|record| question.kind == ANY || question.kind == record.data.kind())
            .collect()
    }

    /// What saves the asker further questions (RFC 6763 section 12).
    fn useful_beside(&self, answers: &[Record]) -> Vec<Record> {
        let has = |kind: u16| answers.iter().any(|record| record.data.kind() == kind);
        let points = answers.contains(&self.pointer());
        let mut useful = Vec::new();
        if points && !has(SRV) {
            useful.push(self.place());
        }
        if points && !has(TXT) {
            useful.push(self.words());
        }
        if (points || has(SRV)) && !has(A) {
            useful.push(self.address());
        }
        useful
    }

    fn all(&self) -> Vec<Record> {
        vec![self.pointer(), self.place(), self.words(), self.address()]
    }

    fn kind(&self) -> Name {
        Name::of([self.service.kind, "_tcp", "local"])
    }

    fn name(&self) -> Name {
        Name::of([self.instance().as_str(), self.service.kind, "_tcp", "local"])
    }

    fn host(&self) -> Name {
        // Its address is this machine's, so that another of ours with this name says the same.
        Name::of([self.service.host.as_str(), "local"])
    }

    fn pointer(&self) -> Record {
        Record {
            name: self.kind(),
            flush: false,
            ttl_s: OTHER_TTL_S,
            data: Data::Ptr(self.name()),
        }
    }

    /// Which kinds of services there are (RFC 6763 section 9).
    fn kind_pointer(&self) -> Record {
        Record {
            name: Name::of(["_services", "_dns-sd", "_udp", "local"]),
            data: Data::Ptr(self.kind()),
            ..self.pointer()
        }
    }

    fn place(&self) -> Record {
        Record {
            name: self.name(),
            flush: true,
            ttl_s: HOST_TTL_S,
            data: Data::Srv {
                port: self.service.port,
                host: self.host(),
            },
        }
    }

    fn words(&self) -> Record {
        let mut words = Vec::new();
        for (key, value) in &self.service.text {
            let word = format!("{key}={value}");
            if let Ok(length @ 1..) = u8::try_from(word.len())
                && usize::from(length) <= WORD_BYTES_MAX
            {
                words.push(length);
                words.extend(word.into_bytes());
            }
        }
        if words.is_empty() {
            // None is one empty word (RFC 6763 section 6.1).
            words.push(0);
        }
        Record {
            name: self.name(),
            flush: true,
            ttl_s: OTHER_TTL_S,
            data: Data::Txt(words),
        }
    }

    fn address(&self) -> Record {
        Record {
            name: self.host(),
            flush: true,
            ttl_s: HOST_TTL_S,
            data: Data::A(self.service.address),
        }
    }

    /// splitmix64.
    fn below(&mut self, end: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

fn response(answers: Vec<Record>, additionals: Vec<Record>) -> Message {
    Message {
        response: true,
        answers,
        additionals,
        ..Message::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::PTR;
    use super::*;

    fn points(record: &Record) -> bool {
        record.data.kind() == PTR
    }

    const PEER: &str = "127.0.0.1:5353";
    const PLAIN: &str = "127.0.0.1:40000";

    struct Net {
        responder: Responder,
        now: Duration,
        sent: Vec<(Duration, To, Message)>,
    }

    impl Net {
        fn new() -> Self {
            let service = Service {
                kind: "_wyoming",
                instance: "Kitchen".into(),
                host: "hearth-1".into(),
                address: Ipv4Addr::LOCALHOST,
                port: 10_700,
                text: vec![("version", "1".into())],
            };
            Self {
                responder: Responder::new(service, 7, Duration::ZERO),
                now: Duration::ZERO,
                sent: Vec::new(),
            }
        }

        fn pass(&mut self, ms: u64) {
            let until = self.now + Duration::from_millis(ms);
            loop {
                match self.responder.poll_output() {
                    Output::Send(to, bytes) => {
                        let message = Message::read(&bytes).unwrap();
                        self.sent.push((self.now, to, message));
                    }
                    Output::Timeout(Some(at)) if at <= until => {
                        self.now = self.now.max(at);
                        self.responder.handle_timeout(self.now);
                    }
                    Output::Timeout(_) => break,
                }
            }
            self.now = until;
        }

        fn says(&mut self, message: &Message, from: &str) {
            self.responder
                .handle_datagram(&message.write(), from.parse().unwrap(), self.now);
        }

        fn stands() -> Self {
            let mut net = Self::new();
            net.pass(5_000);
            net.sent.clear();
            net
        }
    }

    fn ask(kind: u16, name: Name) -> Message {
        Message {
            questions: vec![Question {
                name,
                kind,
                unicast: false,
            }],
            ..Message::default()
        }
    }

    #[test]
    fn it_probes_three_times_and_announces_twice() {
        let mut net = Net::new();
        net.pass(5_000);
        let kinds: Vec<bool> = net.sent.iter().map(|(_, _, sent)| sent.response).collect();
        assert_eq!(kinds, [false, false, false, true, true]);
        let (first, second) = (net.sent[3].0, net.sent[4].0);
        assert_eq!(second - first, ANNOUNCE_EVERY);
        assert_eq!(first - net.sent[2].0, PROBE_EVERY);
        assert_eq!(net.sent[3].2.answers.len(), 4);
    }

    #[test]
    fn a_browser_gets_everything_at_once_and_no_known_answer_again() {
        let mut net = Net::stands();
        let mut question = ask(PTR, Name::of(["_WYOMING", "_tcp", "local"]));
        net.says(&question, PEER);
        net.pass(200);
        let (at, to, answer) = net.sent.remove(0);
        assert_eq!(to, To::Everybody);
        assert!(at >= net.now - Duration::from_millis(180), "not at once");
        assert!(answer.answers.iter().all(points));
        assert_eq!(answer.additionals.len(), 3);
        net.pass(2_000);
        question.answers = answer.answers;
        net.says(&question, PEER);
        net.pass(2_000);
        assert!(net.sent.is_empty(), "{:?}", net.sent);
        // A second question within the second is answered behind it.
        question.answers.clear();
        net.says(&question, PEER);
        net.pass(200);
        net.says(&question, PEER);
        net.pass(3_000);
        assert_eq!(net.sent.len(), 2);
        assert!(net.sent[1].0 - net.sent[0].0 >= TOLD_EVERY);
    }

    #[test]
    fn a_plain_client_is_answered_alone_and_for_a_short_time() {
        let mut net = Net::stands();
        let mut question = ask(SRV, Name::of(["Kitchen", "_wyoming", "_tcp", "local"]));
        question.id = 77;
        net.says(&question, PLAIN);
        net.pass(1);
        let (_, to, answer) = net.sent.remove(0);
        assert_eq!(to, To::One(PLAIN.parse().unwrap()));
        assert_eq!((answer.id, answer.questions.len()), (77, 1));
        assert!(
            answer
                .answers
                .iter()
                .all(|one| one.ttl_s == 10 && !one.flush)
        );
        net.says(&ask(A, Name::of(["somebody", "local"])), PLAIN);
        net.pass(1_000);
        assert!(net.sent.is_empty());
    }

    #[test]
    fn a_name_that_another_has_is_given_up() {
        let mut net = Net::new();
        net.pass(300);
        let other = Message {
            response: true,
            answers: vec![Record {
                name: Name::of(["kitchen", "_wyoming", "_tcp", "local"]),
                flush: true,
                ttl_s: 120,
                data: Data::Srv {
                    port: 1,
                    host: Name::of(["other", "local"]),
                },
            }],
            ..Message::default()
        };
        net.says(&other, PEER);
        net.sent.clear();
        net.pass(5_000);
        assert_eq!(net.responder.instance(), "Kitchen (2)");
        let last = &net.sent.last().unwrap().2;
        assert_eq!(
            last.answers[0].data,
            Data::Ptr(Name::of(["Kitchen (2)", "_wyoming", "_tcp", "local"]))
        );
        // Two that ask at the same moment: the later in order goes on, the other asks again.
        let mut net = Net::new();
        net.pass(300);
        let mut probe = net.sent[0].2.clone();
        for record in &mut probe.authorities {
            if let Data::Srv { port, .. } = &mut record.data {
                *port += 1;
            }
        }
        net.sent.clear();
        net.says(&probe, PEER);
        net.pass(900);
        assert!(net.sent.is_empty(), "{:?}", net.sent);
        net.pass(5_000);
        assert_eq!(net.responder.instance(), "Kitchen");
        // Who stands defends its name at once.
        net.sent.clear();
        net.says(&probe, PEER);
        net.pass(1);
        assert_eq!(net.sent.len(), 1);
        assert!(net.sent[0].2.response);
        // Our own words, heard back, are no conflict.
        let last = &net.sent[0].2;
        let own = last.clone();
        net.says(&own, PEER);
        net.pass(2_000);
        assert_eq!(net.responder.instance(), "Kitchen");
        let bye = Message::read(&net.responder.goodbye()).unwrap();
        assert!(bye.answers.iter().all(|record| record.ttl_s == 0));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_do_no_harm(bytes: Vec<u8>) {
            let mut net = Net::stands();
            net.responder.handle_datagram(&bytes, PEER.parse().unwrap(), net.now);
            net.pass(5_000);
        }
    }
}
