//! Which of several readings is meant.
//!
//! The owner's own sentences go first; then the longest name of a device; then fewer free words, more words of the
//! template, less swallowed by free words; then the package's before this speaker's own. Two readings that are equal in all of this and mean different intents are
//! rivals: nothing is guessed between them.
use std::cmp::Ordering;

use super::datum::Datum;
use super::grammar::Whose;
use super::program::{BlockHead, Program};
use super::text::trimmed;
use super::walk::{Capture, Filled, Said};

/// The slot whose longest value wins.
const NAME: &str = "name";
/// Most rivals that are kept.
const RIVALS_MAX: usize = 4;

/// How good a reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Score {
    whose: Whose,
    /// Letters of the device's name, if one was said.
    name: Option<u32>,
    free: u32,
    literal: u32,
    swallowed: u32,
}

impl Score {
    pub(super) fn of(
        program: &Program,
        block: &BlockHead,
        said: &Said,
        captures: &[Capture],
        literal: u32,
    ) -> Self {
        let mut score = Self {
            whose: block.whose,
            name: None,
            free: 0,
            literal,
            swallowed: 0,
        };
        let mut named = false;
        for capture in captures.iter().filter(|capture| !capture.response_only) {
            let is_name = program
                .slots
                .get(capture.slot as usize)
                .is_some_and(|slot| slot == NAME);
            named |= is_name;
            if let Filled::Words | Filled::Open { .. } = capture.value {
                let words = said
                    .letters
                    .get(capture.from as usize..capture.to as usize)
                    .unwrap_or_default();
                score.free += 1;
                score.swallowed += trimmed(words).len() as u32;
                if is_name {
                    score.name = None;
                }
            } else if is_name {
                score.name = Some(capture.to - capture.from);
            }
        }
        if !named && block.slots.iter().any(|(slot, _)| slot == NAME) {
            score.name = Some(0);
        }
        score
    }

    /// `Greater` is better.
    fn compare(&self, other: &Self) -> Ordering {
        let owned = |score: &Self| score.whose == Whose::Owner;
        (owned(self).cmp(&owned(other)))
            .then(self.name.cmp(&other.name))
            .then(other.free.cmp(&self.free))
            .then(self.literal.cmp(&other.literal))
            .then(other.swallowed.cmp(&self.swallowed))
            .then(self.whose.cmp(&other.whose))
    }
}

/// The best reading so far.
#[derive(Debug, Default)]
pub(super) struct Best {
    pub(super) found: Option<Found>,
}

/// A reading.
#[derive(Debug)]
pub(super) struct Found {
    score: Score,
    pub(super) template: u32,
    pub(super) captures: Vec<Capture>,
    pub(super) from_context: Vec<(String, Datum)>,
    pub(super) said: Said,
    /// Templates of other intents that read it as well.
    pub(super) rivals: Vec<u32>,
}

fn intent(program: &Program, template: u32) -> &str {
    program
        .templates
        .get(template as usize)
        .and_then(|template| program.blocks.get(template.block as usize))
        .map_or("", |block| block.intent.as_str())
}

impl Best {
    /// Whether a reading with this score would change anything.
    pub(super) fn gives_way_to(&self, score: &Score) -> bool {
        self.found
            .as_ref()
            .is_none_or(|found| score.compare(&found.score) != Ordering::Less)
    }

    /// Takes a reading if it is better; keeps it as a rival if it is as good and means something else.
    pub(super) fn take(
        &mut self,
        program: &Program,
        score: Score,
        template: u32,
        captures: Vec<Capture>,
        from_context: Vec<(String, Datum)>,
        said: &Said,
    ) {
        let new = |rivals: Vec<u32>| Found {
            score,
            template,
            captures,
            from_context,
            said: said.clone(),
            rivals,
        };
        let Some(found) = &mut self.found else {
            self.found = Some(new(Vec::new()));
            return;
        };
        match score.compare(&found.score) {
            Ordering::Less => {}
            Ordering::Greater => *found = new(Vec::new()),
            Ordering::Equal => {
                let (now, before) = (intent(program, template), intent(program, found.template));
                match now.cmp(before) {
                    Ordering::Equal => {}
                    // The same order of names decides as in the original, so that both give the same answer.
                    Ordering::Less => {
                        let mut rivals = std::mem::take(&mut found.rivals);
                        rivals.push(found.template);
                        rivals.truncate(RIVALS_MAX);
                        *found = new(rivals);
                    }
                    Ordering::Greater => {
                        if found.rivals.len() < RIVALS_MAX
                            && !found
                                .rivals
                                .iter()
                                .any(|&rival| intent(program, rival) == now)
                        {
                            found.rivals.push(template);
                        }
                    }
                }
            }
        }
    }
}
