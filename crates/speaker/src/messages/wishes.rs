//! What the hub shall do with this device's calls: ring or not, decline a caller, send them elsewhere.
use super::exchange::{Caller, Forward, Outcome, Request, Wish};
use super::{Messages, Purpose, words};

/// Wishes that wait for the hub.
const WISHES_MAX: usize = 64;

impl Messages {
    /// The hub shall do it as well: what was said about calls counts for every caller, also when this device is away.
    pub fn wish(&mut self, wish: Wish) {
        if let Wish::DoNotDisturb(on) = wish {
            self.do_not_disturb = on;
        }
        if !self.joined {
            return;
        }
        if self.is_reachable {
            self.ask(Request::Settings(wish.clone()), Purpose::Wish(wish, None));
        } else {
            self.keep_wish(wish);
        }
    }

    /// The last caller is not wanted any more. What the hub makes of it is said once it has answered.
    pub fn block(&mut self, caller: Caller) {
        if !self.joined || !self.is_reachable {
            self.say(words::BLOCKED_HERE_FIRST);
            return self.wish(Wish::Block(caller));
        }
        let wish = Wish::Block(caller);
        let told = Some(String::new());
        self.ask(Request::Settings(wish.clone()), Purpose::Wish(wish, told));
    }

    pub(super) fn forward(&mut self, to: Option<Forward>, spoken: Option<String>) {
        if !self.is_reachable {
            return self.say(words::NO_HUB);
        }
        let wish = Wish::Forward(to);
        self.ask(Request::Settings(wish.clone()), Purpose::Wish(wish, spoken));
    }

    pub(super) fn wish_answered(&mut self, wish: Wish, spoken: Option<String>, outcome: &Outcome) {
        match (outcome, &wish) {
            // Calls do not go elsewhere some time later, when nobody thinks of it any more.
            (Outcome::Away, Wish::Forward(_)) => self.say(words::NO_HUB),
            (Outcome::Away, _) => {
                if spoken.is_some() {
                    self.say(words::BLOCKED_HERE_FIRST);
                }
                self.keep_wish(wish);
            }
            (Outcome::Refused(status), _) => {
                self.step(format!("the hub refused a setting: {status}"));
                match wish {
                    Wish::Forward(_) => self.say(words::NOT_FORWARDED),
                    Wish::Block(_) if spoken.is_some() => self.say(words::BLOCKED_ONLY_HERE),
                    _ => {}
                }
            }
            (_, Wish::Block(_)) if spoken.is_some() => self.say(words::BLOCKED),
            (_, Wish::Forward(Some(_))) => {
                if let Some(spoken) = spoken {
                    self.say(words::forwarded(&spoken));
                }
            }
            (_, Wish::Forward(None)) => self.say(words::FORWARD_OFF),
            _ => {}
        }
    }

    pub(super) fn keep_wish(&mut self, wish: Wish) {
        // Of two of a kind the later counts; blocked callers are several.
        if !matches!(wish, Wish::Block(_)) {
            self.wishes
                .retain(|kept| core::mem::discriminant(kept) != core::mem::discriminant(&wish));
        }
        if self.wishes.len() < WISHES_MAX {
            self.wishes.push(wish);
        }
    }
}
