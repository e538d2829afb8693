//! A player that another system owns, behind [`hearthline_speaker::player`]: sans-IO. After each `handle_*` drain
//! [`Remote::poll_output`].
use std::collections::VecDeque;

use hearthline_speaker::player::{self, Asked, News};

use crate::order::{Doing, Duck, Order, Repeat, State, Told};
use crate::track::{Player, System};

/// Loudness under words, of 100.
const SOFT_PERCENT: u32 = 20;
/// Token of what nobody waits for.
const NOBODY: u64 = 0;

/// What is wanted of the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// For the player.
    Ask(Asked),
    /// For the skill.
    Told(Told),
}

/// The player.
#[derive(Debug, Default)]
pub struct Remote {
    state: State,
    /// Why it cannot be reached; before it has said anything, that.
    away: Option<String>,
    is_known: bool,
    duck: Duck,
    /// The volume before it became soft.
    ducked_from: Option<u8>,
    /// It was paused for somebody else.
    held: bool,
    outputs: VecDeque<Output>,
}

impl Remote {
    /// A player that has not said anything yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it plays.
    #[must_use]
    pub fn plays(&self) -> bool {
        self.state.doing == Doing::Playing
    }

    /// An order of the skill.
    pub fn handle_order(&mut self, token: u64, order: &Order) {
        use player::Order as Wire;
        let order = match order {
            Order::Play { pieces, at, .. } => match pieces.get(*at).or(pieces.first()) {
                Some(piece) if piece.system == System::Radio => Wire::Url(piece.key.clone()),
                _ => return self.fail(token, "That is not for the player of Home Assistant."),
            },
            Order::Search { words, class } => Wire::Search {
                words: words.clone(),
                class: class.clone(),
            },
            Order::Pause => Wire::Pause,
            Order::Resume => Wire::Resume,
            Order::Stop { .. } => Wire::Stop,
            Order::Next => Wire::Next,
            Order::Previous => Wire::Previous,
            Order::Again => Wire::Again,
            Order::Shuffle { on } => Wire::Shuffle(*on),
            Order::Repeat { mode } => Wire::Repeat(match mode {
                Repeat::Off => "off",
                Repeat::One => "one",
                Repeat::All => "all",
            }),
            Order::Volume { percent } => {
                // What was soft stays so, and comes back as loud as is said now.
                if let Some(from) = &mut self.ducked_from {
                    *from = *percent;
                    return self.outputs.push_back(Output::Told(Told::Done { token }));
                }
                Wire::Volume(*percent)
            }
            Order::Duck { how } => return self.give_way(*how),
            Order::Playlist { .. } | Order::Rescan | Order::Room { .. } => {
                return self.fail(token, "The player of Home Assistant cannot do that.");
            }
        };
        if let Some(why) = &self.away {
            let why = format!("I can't reach the player of Home Assistant: {why}.");
            return self.fail(token, &why);
        }
        if matches!(
            order,
            Wire::Pause | Wire::Stop | Wire::Url(_) | Wire::Resume
        ) {
            self.held = false;
        }
        self.ask(token, order);
    }

    /// What the player says.
    pub fn handle_news(&mut self, news: News) {
        match news {
            News::State(state) => self.is(&state),
            News::Done { token } if token != NOBODY => {
                self.outputs.push_back(Output::Told(Told::Done { token }));
            }
            News::Failed { token, why } if token != NOBODY => {
                let why = format!("The player of Home Assistant did not: {why}.");
                self.fail(token, &why);
            }
            // Without a volume it cannot become soft: then it holds.
            News::Failed { .. } if self.duck >= Duck::Soft && !self.held && self.plays() => {
                self.ducked_from = None;
                self.hold();
            }
            News::Done { .. } | News::Failed { .. } => {}
            News::Away { why } => {
                self.away = Some(why);
                (self.is_known, self.held, self.ducked_from) = (false, false, None);
                if self.state.doing != Doing::Stopped {
                    self.state = State::default();
                    self.tell_state();
                }
            }
        }
    }

    /// What is wanted.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn ask(&mut self, token: u64, order: player::Order) {
        self.outputs.push_back(Output::Ask(Asked { token, order }));
    }

    fn fail(&mut self, token: u64, why: &str) {
        let why = why.to_owned();
        let told = Told::Failed { token, why };
        self.outputs.push_back(Output::Told(told));
    }

    fn is(&mut self, state: &player::State) {
        self.away = None;
        self.state = State {
            doing: match state.doing {
                player::Doing::Stopped => Doing::Stopped,
                player::Doing::Playing => Doing::Playing,
                player::Doing::Paused => Doing::Paused,
            },
            title: state.title.clone(),
            artist: state.artist.clone(),
            album: state.album.clone(),
            station: state.station.clone(),
            position_ms: state.position_ms,
            length_ms: state.length_ms,
            at: 0,
            shuffle: state.shuffle,
            repeat: match state.repeat.as_str() {
                "one" => Repeat::One,
                "all" => Repeat::All,
                _ => Repeat::Off,
            },
            percent: state.percent,
        };
        if self.plays() && self.duck < Duck::Hold {
            self.held = false;
        }
        self.is_known = true;
        self.tell_state();
        // It began to play, or came back, while somebody speaks.
        let gives_way = self.held || self.ducked_from.is_some();
        if self.plays() && self.duck > Duck::Full && (!gives_way || self.duck >= Duck::Hold) {
            self.give_way(self.duck);
        }
    }

    fn tell_state(&mut self) {
        let mut state = self.state.clone();
        // What is soft for a while is still as loud as somebody wished, and what is held still plays.
        state.percent = self.ducked_from.or(state.percent);
        if self.held && state.doing == Doing::Paused {
            state.doing = Doing::Playing;
        }
        let player = Player::HomeAssistant;
        let told = Told::State { player, state };
        self.outputs.push_back(Output::Told(told));
    }

    fn hold(&mut self) {
        self.held = true;
        self.ask(NOBODY, player::Order::Pause);
    }

    fn give_way(&mut self, how: Duck) {
        self.duck = how;
        if !self.is_known {
            return;
        }
        let plays = self.plays();
        match how {
            Duck::Full => {
                if let Some(percent) = self.ducked_from.take() {
                    self.state.percent = Some(percent);
                    self.ask(NOBODY, player::Order::Volume(percent));
                }
                if core::mem::take(&mut self.held) {
                    self.ask(NOBODY, player::Order::Resume);
                }
            }
            Duck::Soft if plays && !self.held && self.ducked_from.is_none() => {
                match self.state.percent {
                    Some(percent) => {
                        self.ducked_from = Some(percent);
                        let soft = u32::from(percent) * SOFT_PERCENT / 100;
                        let soft = u8::try_from(soft).unwrap_or(percent);
                        self.ask(NOBODY, player::Order::Volume(soft));
                    }
                    None => self.hold(),
                }
            }
            Duck::Hold | Duck::Silent if plays && !self.held => self.hold(),
            Duck::Soft | Duck::Hold | Duck::Silent => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use hearthline_speaker::player::Order as Wire;

    use super::*;

    fn playing(percent: Option<u8>) -> News {
        News::State(player::State {
            doing: player::Doing::Playing,
            title: "Harbours".into(),
            percent,
            ..player::State::default()
        })
    }

    fn asked(remote: &mut Remote) -> Vec<Wire> {
        let all = std::iter::from_fn(|| remote.poll_output());
        all.filter_map(|output| match output {
            Output::Ask(asked) => Some(asked.order),
            Output::Told(_) => None,
        })
        .collect()
    }

    #[test]
    fn it_is_soft_for_words_held_for_calls_and_then_as_before() {
        let mut remote = Remote::new();
        let duck = |how: Duck, remote: &mut Remote| {
            remote.handle_order(1, &Order::Duck { how });
            asked(remote)
        };
        assert_eq!(duck(Duck::Soft, &mut remote), [], "nothing is known of it");
        remote.handle_news(playing(Some(50)));
        assert_eq!(
            asked(&mut remote),
            [Wire::Volume(10)],
            "it began under words"
        );
        // Its own word of that changes nothing, and what is said of it is the volume that somebody wished.
        remote.handle_news(playing(Some(10)));
        let told = remote.poll_output();
        assert!(
            matches!(&told, Some(Output::Told(Told::State { state, .. })) if state.percent == Some(50)),
            "{told:?}"
        );
        remote.handle_order(2, &Order::Volume { percent: 40 });
        assert_eq!(asked(&mut remote), []);
        assert_eq!(duck(Duck::Hold, &mut remote), [Wire::Pause]);
        assert_eq!(
            duck(Duck::Full, &mut remote),
            [Wire::Volume(40), Wire::Resume]
        );
        // One that does not tell how loud it is holds.
        let mut mute = Remote::new();
        mute.handle_news(playing(None));
        assert_eq!(duck(Duck::Soft, &mut mute), [Wire::Pause]);
    }

    #[test]
    fn one_that_is_away_says_so() {
        let mut remote = Remote::new();
        remote.handle_news(News::Away {
            why: "nobody answers there".into(),
        });
        remote.handle_order(7, &Order::Next);
        let told = remote.poll_output();
        let wanted = "I can't reach the player of Home Assistant: nobody answers there.";
        assert!(
            matches!(&told, Some(Output::Told(Told::Failed { token: 7, why })) if why == wanted),
            "{told:?}"
        );
    }
}
