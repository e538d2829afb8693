//! Everyday skills within the device: whose a sentence is, what is said back, what gives way to what.
mod at_home;
mod ordered;
mod relayed;

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use hearthline_ledger::{Human, Outcome as Decided};
use hearthline_voice::listen::Heard;
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::judge::Verdict;
use hearthline_voice::understand::read;
use hearthline_voice::understand::sentences::{
    House, Moment, Outcome, Recognition, left_by_emergency,
};

use super::{Device, Output, Step};
use crate::policy::{REPLY_MS_MAX, Situation};
use crate::skill::{
    Asked, AtHome, By, Deed, Engaged, Event, Happened, LATER_MAX, Reply, Ringing, Skill,
};
use crate::telephone::Tone;
use crate::words;

/// Most words that wait until nobody else is engaged.
const WAITING_MAX: usize = 16;
/// Most sentences that skills give back in one go: two of them that do each other end here.
const GIVEN_BACK_MAX: usize = 8;
/// Why words were taken by a skill.
pub(super) const SKILL_WORDS: &str = "words of an everyday skill";
/// Most sentences that wait for what another system says to them.
const PENDING_MAX: usize = 16;
/// How long words count without the wake word while something rings, then anew.
const RINGING_MS: u32 = 30_000;
/// How long an answer that began in time may take to be understood.
const GRACE: Duration = Duration::from_secs(4);

/// A skill has asked something.
#[derive(Debug, Clone, Copy)]
struct Asking {
    skill: usize,
    /// Set when our own words have ended.
    until: Option<Duration>,
}

/// A sentence that another system is doing.
#[derive(Debug)]
struct Pending {
    skill: usize,
    token: u64,
    meant: Option<Recognition>,
    by: By,
    /// The hub's order that it is, where nobody said it.
    order: Option<String>,
    until: Duration,
}

/// The skills and what they are about.
#[derive(Default)]
pub(super) struct Skills {
    list: Vec<Box<dyn Skill>>,
    everyday: Option<Arc<Everyday>>,
    /// What the sentences knew of the house before any skill, and what each skill knows.
    own_house: House,
    houses: Vec<Option<Box<House>>>,
    pending: Vec<Pending>,
    engaged: Engaged,
    /// The volume that skills were told last.
    volume: Option<(u8, bool)>,
    asking: Option<Asking>,
    /// What each rings for.
    rings: Vec<Option<Ringing>>,
    /// Words of a skill that wait.
    waiting: VecDeque<String>,
    /// What is being said are such words, and no reply: they give way to whoever says our name.
    own_words: bool,
    /// The telephone's tone; a ring gives way to it.
    telephone_tone: Option<Tone>,
    sounding: Option<Tone>,
    /// What they asked the hub.
    at_home: at_home::AtHome,
    /// What the hub ordered.
    ordered: ordered::Ordered,
    /// Sound for and of other systems.
    pub(super) relayed: relayed::Relayed,
}

impl Skills {
    pub(super) fn sentences(&self) -> Option<&Everyday> {
        self.everyday.as_deref()
    }

    pub(super) fn listens_for(&self, now: Duration) -> Duration {
        let asked = self
            .asking
            .and_then(|asking| asking.until)
            .map_or(Duration::ZERO, |until| {
                until.saturating_sub(now.saturating_add(GRACE))
            });
        if self.is_ringing() && self.engaged <= Engaged::Talking {
            asked.max(Duration::from_millis(RINGING_MS.into()))
        } else {
            asked
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let asking = self.asking.and_then(|asking| asking.until);
        let skills = self.list.iter().filter_map(|skill| skill.poll_timeout());
        let pending = self.pending.iter().map(|pending| pending.until);
        skills.chain(asking).chain(pending).min()
    }

    /// Where the skill of this name stands.
    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|skill| skill.name() == name)
    }

    /// Puts another skill there; what the one before rang, asked and knew is over.
    pub(super) fn put(&mut self, at: usize, mut skill: Box<dyn Skill>, now: Duration) {
        skill.handle(Event::Engaged(self.engaged), now);
        if let Some((percent, muted)) = self.volume {
            skill.volume(percent, muted, now);
        }
        self.list[at] = skill;
        self.rings[at] = None;
        self.houses[at] = None;
        self.pending.retain(|pending| pending.skill != at);
        self.asking.take_if(|asking| asking.skill == at);
    }

    fn is_ringing(&self) -> bool {
        self.list.iter().any(|skill| skill.is_ringing())
    }

    /// Who is asked first when words come without the wake word: the one that asked, then those that ring.
    fn addressed(&self) -> Vec<usize> {
        let asked = self.asking.map(|asking| asking.skill);
        let ringing = (0..self.list.len()).filter(|at| self.list[*at].is_ringing());
        asked
            .into_iter()
            .chain(ringing.filter(|at| Some(*at) != asked))
            .collect()
    }
}

impl Device {
    /// Gives the device something more that it can do. `kept` is the file of that name from the last run.
    pub fn add_skill(&mut self, mut skill: Box<dyn Skill>, kept: &[u8], now: Duration) {
        self.now = now;
        let ms_at_zero = self.wall_ms_at_zero;
        skill.handle(Event::Wall { ms_at_zero }, now);
        skill.handle(Event::Restored(kept), now);
        let (percent, muted) = self.volume.set();
        skill.volume(percent, muted, now);
        self.skills.list.push(skill);
        self.skills.rings.push(None);
        self.skills.houses.push(None);
        self.tell_hub_is_there(self.skills.list.len() - 1, now);
        self.drain(now);
    }

    /// The household's everyday sentences, from now on.
    pub fn know_sentences(&mut self, everyday: Arc<Everyday>, now: Duration) {
        self.now = now;
        self.skills.own_house = everyday.house().clone();
        self.skills.everyday = Some(everyday);
        self.know_the_house();
        self.drain(now);
    }

    /// The sentences with the names that all skills know, for the ear and for responses.
    pub(super) fn know_the_house(&mut self) {
        let Some(everyday) = &self.skills.everyday else {
            return;
        };
        let known = if self.skills.houses.iter().any(Option::is_some) {
            let mut house = self.skills.own_house.clone();
            for part in self.skills.houses.iter().flatten() {
                house.join(part);
            }
            Arc::new(everyday.with_house(house))
        } else {
            Arc::clone(everyday)
        };
        self.skills.everyday = Some(Arc::clone(&known));
        self.outputs.push_back(Output::KnowSentences(known));
    }

    /// Whether a skill rings, or waits for an answer.
    #[must_use]
    pub fn is_skill_busy(&self) -> bool {
        self.skills.asking.is_some() || self.skills.is_ringing() || !self.skills.pending.is_empty()
    }

    /// What a skill's adapter brings.
    pub(super) fn came_for(&mut self, name: &str, value: &serde_json::Value, now: Duration) {
        for skill in &mut self.skills.list {
            if skill.name() == name {
                skill.handle(Event::Came(value), now);
            }
        }
    }

    /// Something happened that routines may wait for.
    pub(super) fn happened(&mut self, what: &Happened, now: Duration) {
        for skill in &mut self.skills.list {
            skill.handle(Event::Happened(what), now);
        }
    }

    pub(super) fn wall_was_set(&mut self, ms_at_zero: u64, now: Duration) {
        for skill in &mut self.skills.list {
            skill.handle(Event::Wall { ms_at_zero }, now);
        }
    }

    pub(super) fn kept_of(&mut self, name: &str, token: u64, now: Duration) {
        for skill in &mut self.skills.list {
            if skill.name() == name {
                skill.handle(Event::Kept(token), now);
            }
        }
    }

    pub(super) fn skills_timeout(&mut self, now: Duration) {
        for skill in &mut self.skills.list {
            if skill.poll_timeout().is_some_and(|at| at <= now) {
                skill.handle(Event::Timeout, now);
            }
        }
        let over = |asking: &Asking| asking.until.is_some_and(|until| until <= now);
        if self.skills.asking.as_ref().is_some_and(over) {
            self.skills.asking = None;
        }
        while let Some(late) = self
            .skills
            .pending
            .iter()
            .position(|pending| pending.until <= now)
        {
            let pending = self.skills.pending.remove(late);
            let reply = Reply::Refused(words::NOTHING_ANSWERED.to_owned());
            self.answered_later(pending, reply, now);
        }
    }

    /// What another system has done with a sentence. It is said at once, unless a call stands.
    fn answered_later(&mut self, pending: Pending, reply: Reply, now: Duration) {
        let Pending {
            skill,
            meant,
            by,
            order,
            ..
        } = pending;
        if let Some(order) = order {
            let intent = meant.map_or_else(String::new, |meant| meant.intent);
            self.lights_were_ordered(&order, &intent, reply, now);
            return;
        }
        let words = self.replied(skill, reply, meant.as_ref(), by, now);
        let Some(words) = words.filter(|words| !words.is_empty()) else {
            return;
        };
        match (by, self.skills.engaged) {
            (_, Engaged::OnCall | Engaged::Emergency) => {}
            (By::Person, _) => self.say(&words, now),
            (By::Later, _) => self.say_when_free(words),
        }
    }

    /// Whether somebody is being answered: a reply is on its way, or being said. What nobody asked for waits until then.
    fn is_answering(&self, now: Duration) -> bool {
        let replies = |pending: &Pending| pending.by == By::Person;
        let speaks = self.speech_until.is_some_and(|until| now < until);
        self.skills.pending.iter().any(replies) || (speaks && !self.skills.own_words)
    }

    /// Somebody said our name, or is answered: what a skill was saying by itself ends.
    pub(super) fn hush_own_words(&mut self) {
        if core::mem::take(&mut self.skills.own_words) && self.speech_until.take().is_some() {
            self.outputs.push_back(Output::Hush);
        }
    }

    pub(super) fn own_words_ended(&mut self) {
        self.skills.own_words = false;
    }

    fn say_when_free(&mut self, words: String) {
        if self.skills.waiting.len() < WAITING_MAX {
            self.skills.waiting.push_back(words);
        }
    }

    /// Our own words have ended: what was asked is waited for from now on.
    pub(super) fn skill_question_asked(&mut self, now: Duration) {
        if let Some(asking) = &mut self.skills.asking {
            let wait = Duration::from_millis(REPLY_MS_MAX.into());
            asking.until.get_or_insert(now + wait + GRACE);
        }
    }

    /// Does what an everyday sentence means, or says that nothing here can.
    pub(super) fn do_meant(&mut self, meant: &Recognition, said: &str, now: Duration) {
        self.skills.asking = None;
        if let Some(percent) = self.volume.changed_by_sentence(meant) {
            self.outputs.push_back(Output::Volume(percent));
            self.record_deed(&meant.intent, "volume", now);
            return;
        }
        if !meant.rivals.is_empty() {
            self.record_deed(&meant.intent, "asked which is meant", now);
            let text = words::which_is_meant(meant);
            self.say(&text, now);
            return;
        }
        if let Some(answer) = self.explained(&meant.intent, now) {
            self.say(&answer, now);
            return;
        }
        let answer = match self.ask_skills(meant, said, By::Person, now) {
            Some(answer) => answer,
            None if meant.intent == "HassNevermind" => String::new(),
            None if meant.intent == "HassGetCurrentTime" => self.answer_to("GetTime", now),
            None => self.overheard(now).unwrap_or_else(|| {
                self.record_deed(&meant.intent, "nothing here can do it", now);
                words::not_done_yet(said)
            }),
        };
        if !answer.is_empty() {
            self.say(&answer, now);
        }
    }

    /// The first skill that takes it, and what it says; none when it is nobody's.
    pub(super) fn ask_skills(
        &mut self,
        meant: &Recognition,
        said: &str,
        by: By,
        now: Duration,
    ) -> Option<String> {
        let wall_ms = self.wall_ms(now);
        let asked = Asked {
            meant,
            said,
            by,
            wall_ms,
        };
        for at in 0..self.skills.list.len() {
            let telephone = &self.telephone;
            let find = |name: &str| telephone.addressee(name).of_the_home();
            let skill = &mut self.skills.list[at];
            let reply = if self.messages.is_joined() {
                skill.take_at_home(&asked, AtHome(&find), now)
            } else {
                skill.take(&asked, now)
            };
            if let Some(words) = self.replied(at, reply, Some(meant), by, now) {
                return Some(words);
            }
        }
        None
    }

    /// The words of a reply; none when it is another's.
    fn replied(
        &mut self,
        at: usize,
        reply: Reply,
        meant: Option<&Recognition>,
        by: By,
        now: Duration,
    ) -> Option<String> {
        let (effect, words) = match reply {
            Reply::Other => return None,
            Reply::Silent => ("done", String::new()),
            Reply::Words(words) => ("done", words),
            Reply::Refused(words) => ("not done", words),
            Reply::Question(words) => {
                self.skills.asking = Some(Asking {
                    skill: at,
                    until: None,
                });
                ("asked back", words)
            }
            Reply::Later(_) if self.skills.pending.len() >= PENDING_MAX => {
                ("not done", words::NOTHING_ANSWERED.to_owned())
            }
            Reply::Later(token) => {
                self.skills.pending.push(Pending {
                    skill: at,
                    token,
                    meant: meant.cloned(),
                    by,
                    order: None,
                    until: now + LATER_MAX,
                });
                ("being done", String::new())
            }
            Reply::Response(facts) => {
                let outcome = Outcome {
                    key: facts.key,
                    timers: Some(facts.timers),
                    slots: facts.slots,
                };
                let moment = self.moment(now);
                let response = match (&self.skills.everyday, meant) {
                    (Some(everyday), Some(meant)) => {
                        let house = facts.house.as_deref();
                        everyday.response_in(house, meant, &outcome, moment)
                    }
                    _ => Ok(String::new()),
                };
                let words = match response {
                    Ok(words) if !words.is_empty() => words,
                    Ok(_) => facts.otherwise,
                    Err(error) => {
                        self.step(Step::Trouble {
                            what: error.to_string(),
                        });
                        facts.otherwise
                    }
                };
                ("done", words)
            }
        };
        let name = self.skills.list[at].name();
        let action = meant.map_or("words", |meant| meant.intent.as_str());
        self.record_deed(action, &format!("{effect} by {name}"), now);
        Some(words)
    }

    fn record_deed(&mut self, action: &str, effect: &str, now: Duration) {
        let entry = Human {
            action: action.to_owned(),
            by: "speech".to_owned(),
            effect: Some(effect.to_owned()),
        };
        self.recorder.write(entry, None, now);
    }

    /// Words that are a skill's alone: an answer to what it asked, "stop" while it rings, a sentence of its own. Never
    /// what the emergency judge has taken, asked about or refused.
    pub(super) fn took_words(&mut self, heard: &Heard, now: Duration) -> bool {
        let understanding = &heard.understanding;
        let left = left_by_emergency(&understanding.evidence.reading)
            && matches!(
                understanding.verdict,
                Verdict::Other | Verdict::Reply(_) | Verdict::Act(_) | Verdict::Meant(_)
            );
        let engaged = self.skills.engaged >= Engaged::OnCall
            || self.situation() != Situation::Idle
            || self.telephone.is_busy();
        if !left || engaged {
            return false;
        }
        let said = understanding.transcript.text.trim().to_owned();
        let mut answer = self.answered_by_addressed(&said, now);
        if answer.is_none() && heard.wake.is_some() {
            answer = self.answered_by_player(&said, now);
        }
        if answer.is_none()
            && heard.wake.is_some()
            && let Verdict::Other = understanding.verdict
        {
            answer = self.own_sentence(&said, now);
            if answer.is_none() {
                self.hold_utterance(heard);
                answer = self.overheard(now);
            }
        }
        let Some(answer) = answer else {
            return false;
        };
        if self.recorder.incident().is_none() {
            self.recorder.begin_incident();
        }
        self.recorder.heard(heard, now);
        self.recorder
            .decision(Decided::Act, self.plain_mode(), SKILL_WORDS, None, now);
        self.step(Step::Heard {
            transcript: said,
            intent: ("Words".into(), Default::default()),
            speech_end_sample: heard.speech_end.0,
            decided_sample: heard.decided.0,
        });
        if !answer.is_empty() {
            self.say(&answer, now);
        }
        self.finish("answered", SKILL_WORDS, now);
        self.listen_on(now);
        true
    }

    /// Typed words for a skill that asks something or rings. Never what the emergency reading takes.
    pub(super) fn took_typed(&mut self, said: &str, now: Duration) -> bool {
        let engaged = self.skills.engaged >= Engaged::OnCall || self.telephone.is_busy();
        if engaged || !left_by_emergency(&read(said, self.country)) {
            return false;
        }
        let addressed = self.answered_by_addressed(said, now);
        let Some(answer) = addressed.or_else(|| self.answered_by_player(said, now)) else {
            return false;
        };
        self.recorder
            .decision(Decided::Act, self.plain_mode(), SKILL_WORDS, None, now);
        self.step(Step::Decided {
            decision: "act",
            reason: SKILL_WORDS,
            service: None,
        });
        if !answer.is_empty() {
            self.say(&answer, now);
        }
        self.finish("answered", SKILL_WORDS, now);
        self.listen_on(now);
        true
    }

    /// What the skills that ask something or ring make of words, each in its turn.
    fn answered_by_addressed(&mut self, said: &str, now: Duration) -> Option<String> {
        for at in self.skills.addressed() {
            let reply = self.skills.list[at].answer(said, now);
            if reply != Reply::Other && self.is_asked(at) {
                self.skills.asking = None;
            }
            let answer = self.replied(at, reply, None, By::Person, now);
            if answer.is_some() {
                return answer;
            }
        }
        None
    }

    /// What a skill whose sound plays makes of bare words. "Next" behind a message is the messages'.
    fn answered_by_player(&mut self, said: &str, now: Duration) -> Option<String> {
        if self.woken_over_message.is_some() || self.messages.told_lately(now) {
            return None;
        }
        for at in 0..self.skills.list.len() {
            let reply = self.skills.list[at].bare(said, now);
            let answer = self.replied(at, reply, None, By::Person, now);
            if answer.is_some() {
                return answer;
            }
        }
        None
    }

    /// Words that no compiled sentence reads, and that speak of no emergency: what a skill makes of them.
    pub(super) fn own_sentence(&mut self, said: &str, now: Duration) -> Option<String> {
        let wall_ms = self.wall_ms(now);
        for at in 0..self.skills.list.len() {
            let reply = self.skills.list[at].hear(said, wall_ms, now);
            let answer = self.replied(at, reply, None, By::Person, now);
            if answer.is_some() {
                return answer;
            }
        }
        None
    }

    fn is_asked(&self, at: usize) -> bool {
        self.skills.asking.is_some_and(|asking| asking.skill == at)
    }

    /// Nothing came while the ear was open for a ring or an answer: it stays open.
    pub(super) fn rings_on(&mut self, now: Duration) {
        if !self.skills.listens_for(now).is_zero() {
            self.listen_on(now);
        }
    }

    /// Who else uses the loudspeaker: each skill is told when that changes.
    pub(super) fn skills_give_way(&mut self, emergency: bool, now: Duration) {
        let talking = self.addressed
            || self.question.is_some()
            || self.recorder.incident().is_some()
            || self.messages.is_busy()
            || self.is_answering(now);
        let engaged = if emergency {
            Engaged::Emergency
        } else if self.telephone.is_busy() {
            Engaged::OnCall
        } else if talking {
            Engaged::Talking
        } else {
            Engaged::Free
        };
        let volume = self.volume.set();
        if self.skills.volume.replace(volume) != Some(volume) {
            for skill in &mut self.skills.list {
                skill.volume(volume.0, volume.1, now);
            }
        }
        if engaged != self.skills.engaged {
            self.skills.engaged = engaged;
            if engaged == Engaged::Emergency {
                self.forget_sentences();
            }
            for skill in &mut self.skills.list {
                skill.handle(Event::Engaged(engaged), now);
            }
            // A question of a skill opens the ear by its own end.
            if engaged == Engaged::Free && self.skills.is_ringing() {
                self.rings_on(now);
            }
        }
    }

    /// Somebody calls for help: no sentence before that is answered any more.
    pub(super) fn forget_sentences(&mut self) {
        self.skills.asking = None;
        self.skills.pending.clear();
    }

    pub(super) fn telephone_tone(&mut self, tone: Option<Tone>) {
        self.skills.telephone_tone = tone;
        self.outputs.push_back(Output::Tone(tone));
        self.skills.sounding = tone;
    }

    /// The telephone's tone, else a ring while nobody speaks or is spoken to.
    fn sound_ring(&mut self, now: Duration) {
        let speaks = self.speech_until.is_some_and(|until| now < until);
        let free = self.skills.engaged == Engaged::Free && !speaks;
        let ring = self.skills.rings.iter().flatten().next().copied();
        let tone = self.skills.telephone_tone.or_else(|| {
            let ring = ring.filter(|_| free)?;
            Some(match ring {
                Ringing::Timer => Tone::Timer,
                Ringing::Alarm => Tone::Alarm,
                Ringing::Reminder => Tone::Reminder,
            })
        });
        if tone != self.skills.sounding {
            self.skills.sounding = tone;
            self.outputs.push_back(Output::Tone(tone));
        }
    }

    /// Carries out what skills want; true when something happened.
    pub(super) fn drain_skills(&mut self, now: Duration) -> bool {
        let mut moved = false;
        let mut later = 0;
        for at in 0..self.skills.list.len() {
            while let Some(deed) = self.skills.list[at].poll_deed() {
                moved = true;
                let skill = self.skills.list[at].name();
                let keep = |token, bytes, appends| Output::KeepOf {
                    skill,
                    token,
                    bytes,
                    appends,
                };
                match deed {
                    Deed::Say(text) => self.say_when_free(text),
                    Deed::Answer { token, reply } => {
                        let waits =
                            |pending: &Pending| pending.skill == at && pending.token == token;
                        if let Some(found) = self.skills.pending.iter().position(waits) {
                            let pending = self.skills.pending.remove(found);
                            self.answered_later(pending, reply, now);
                        }
                    }
                    Deed::Play { token, parts } => self.relay(at, token, parts, now),
                    Deed::Hub { token, what } => self.ask_hub(at, token, what, now),
                    Deed::Out(value) => self.outputs.push_back(Output::Out { skill, value }),
                    Deed::House(house) => {
                        self.skills.houses[at] = Some(house);
                        self.know_the_house();
                    }
                    Deed::Ring(ring) => {
                        self.skills.rings[at] = ring;
                        self.rings_on(now);
                    }
                    Deed::Keep { token, bytes } => {
                        self.outputs.push_back(keep(token, bytes, false));
                    }
                    Deed::Append { token, bytes } => {
                        self.outputs.push_back(keep(token, bytes, true));
                    }
                    Deed::Do(said) if later < GIVEN_BACK_MAX => {
                        later += 1;
                        self.do_later(&said, now);
                    }
                    Deed::Do(_) => self.step(Step::Trouble {
                        what: "too many sentences at once are given back: one was left out".into(),
                    }),
                    Deed::Show(value) => self.outputs.push_back(Output::Show { skill, value }),
                    Deed::Record(entry) => self.recorder.write(entry, None, now),
                    Deed::Happened(what) => self.happened(&what, now),
                    Deed::Step(what) => self.step(Step::Skill { what }),
                }
            }
        }
        let speaks = self.speech_until.is_some_and(|until| now < until);
        if self.skills.engaged == Engaged::Free
            && !speaks
            && let Some(text) = self.skills.waiting.pop_front()
        {
            moved = true;
            self.say(&text, now);
            self.skills.own_words = true;
        }
        moved |= self.drain_relayed(now);
        self.sound_ring(now);
        moved
    }

    /// A sentence for later whose time has come: the compiled sentences alone read it.
    fn do_later(&mut self, said: &str, now: Duration) {
        let read = self
            .skills
            .everyday
            .as_ref()
            .and_then(|everyday| everyday.read(said, self.country));
        let answer = match read {
            Some(meant) if meant.rivals.is_empty() => {
                if let Some(percent) = self.volume.changed_by_sentence(&meant) {
                    self.outputs.push_back(Output::Volume(percent));
                    return;
                }
                self.ask_skills(&meant, said, By::Later, now)
            }
            _ => None,
        };
        let answer = answer.unwrap_or_else(|| words::not_done_yet(said));
        if !answer.is_empty() {
            self.say_when_free(answer);
        }
    }

    fn wall_ms(&self, now: Duration) -> u64 {
        self.wall_ms_at_zero + u64::try_from(now.as_millis()).unwrap_or(0)
    }

    /// The moment in universal time; a skill that knows the zone says its own.
    fn moment(&self, now: Duration) -> Moment {
        let ms = i64::try_from(self.wall_ms(now)).unwrap_or(i64::MAX);
        Moment::from_unix_ms(ms)
    }
}
