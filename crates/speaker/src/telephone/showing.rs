//! Tone and light: they follow from where the calls stand, and from nothing else.
use super::call::{Call, State};
use super::{Output, Shows, Telephone, Tone};

impl Telephone {
    /// What the light shows now.
    #[must_use]
    pub fn shows(&self) -> Shows {
        let of = |call: &Call| match call.state {
            State::Offered(_) => Shows::Ringing,
            State::Confirmed { .. } if call.drop_in => Shows::DropIn,
            _ => Shows::OnCall,
        };
        self.calls.iter().map(of).max().unwrap_or(Shows::Nothing)
    }

    /// Whether somebody listens here who was let in without being answered.
    pub(crate) fn is_dropped_into(&self) -> bool {
        self.calls.iter().any(|call| call.drop_in)
    }

    /// Tone and light follow the calls.
    pub(super) fn settle(&mut self) {
        // The next call is heard.
        self.silenced &= !self.calls.is_empty();
        let tone = self.wanted_tone();
        if tone != self.tone {
            self.tone = tone;
            self.outputs.push_back(Output::Tone(tone));
        }
        let shows = self.shows();
        if shows != self.shown {
            self.shown = shows;
            self.outputs.push_back(Output::Light);
        }
    }

    fn wanted_tone(&self) -> Option<Tone> {
        let any = |of: fn(&Call) -> bool| self.calls.iter().any(of);
        if any(Call::is_offered) {
            let waiting = any(Call::is_confirmed) || any(Call::is_going_out);
            return Some(if waiting { Tone::Waiting } else { Tone::Ring });
        }
        if any(|call| call.drop_in && call.is_spoken()) {
            return Some(Tone::DropIn);
        }
        let ringing = any(|call| matches!(call.state, State::Proceeding));
        (ringing && !any(Call::is_spoken)).then_some(Tone::Ringback)
    }
}
