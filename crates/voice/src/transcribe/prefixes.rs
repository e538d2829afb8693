//! What the decoder said behind each run of tokens on one segment: every run is decoded once, whoever asks.
//!
//! ```text
//!               ┌─ 9 ─ - ─ 1 ...        greedy text ┐
//! Alexa, ─ Call ┼─ 911                  beam        ├─► one batch for each length
//!               └─ the ─ police         grammar     ┘
//! ```
//! A step of the decoder costs about as much for four runs as for one, because it reads all of its weights either
//! way. The greedy text, the beam and the grammar follow mostly the same runs, so they walk side by side: each says
//! which tokens it wants next, and what nobody asked before is decoded in one step.
use super::moonshine::{Cache, Encoded, Logits, Moonshine, Step};
use super::{TokenId, TranscribeError};

/// A run of tokens that was decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node(usize);

#[derive(Debug)]
struct Run {
    depth: usize,
    /// Where its step is kept, and the row in it.
    step: usize,
    row: usize,
    longer: Vec<(TokenId, Node)>,
}

/// The runs of tokens that were decoded on one segment.
#[derive(Debug)]
pub struct Prefixes<'a> {
    audio: &'a Encoded,
    runs: Vec<Run>,
    /// Behind the first, which lies in `audio`; forgotten when nobody goes on from there.
    steps: Vec<(usize, Option<Step>)>,
    kept: bool,
}

impl<'a> Prefixes<'a> {
    /// Nothing but what stands at the head of the segment.
    #[must_use]
    pub fn new(audio: &'a Encoded) -> Self {
        Self {
            audio,
            runs: vec![Run {
                depth: 0,
                step: 0,
                row: 0,
                longer: Vec::new(),
            }],
            steps: Vec::new(),
            kept: false,
        }
    }

    /// The same, remembering everything: for several judges of one segment. Takes megabytes for each second.
    #[must_use]
    pub fn kept(audio: &'a Encoded) -> Self {
        Self {
            kept: true,
            ..Self::new(audio)
        }
    }

    /// The segment.
    #[must_use]
    pub fn audio(&self) -> &'a Encoded {
        self.audio
    }

    /// Where every run begins.
    #[must_use]
    pub fn root(&self) -> Node {
        Node(0)
    }

    /// The run one token longer, if it was decoded.
    #[must_use]
    pub fn longer(&self, node: Node, token: TokenId) -> Option<Node> {
        let runs = &self.runs[node.0].longer;
        runs.iter().find(|r| r.0 == token).map(|r| r.1)
    }

    /// Scores of the token behind a run: the logits of its step, and the row in them.
    ///
    /// # Panics
    /// When the run was forgotten.
    #[must_use]
    pub fn scores(&self, node: Node) -> (&Logits, usize) {
        let run = &self.runs[node.0];
        (&self.step(run.step).logits, run.row)
    }

    fn step(&self, step: usize) -> &Step {
        match step.checked_sub(1) {
            None => self.audio.first(),
            Some(at) => self.steps[at]
                .1
                .as_ref()
                .expect("nobody goes on from a run that was forgotten"),
        }
    }

    /// Decode runs that are one token longer than known ones; what is known already costs nothing.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn extend(
        &mut self,
        recogniser: &mut Moonshine,
        wanted: &[(Node, TokenId)],
    ) -> Result<(), TranscribeError> {
        let mut new: Vec<(Node, TokenId)> = Vec::new();
        for &(node, token) in wanted {
            if self.longer(node, token).is_none() && !new.contains(&(node, token)) {
                new.push((node, token));
            }
        }
        // One step takes runs of one length; walkers side by side ask for one length.
        while let Some(&(first, _)) = new.first() {
            let depth = self.runs[first.0].depth;
            let batch: Vec<(Node, TokenId)> = new
                .extract_if(.., |(node, _)| self.runs[node.0].depth == depth)
                .collect();
            let rows: Vec<(&Cache, usize)> = batch
                .iter()
                .map(|(node, _)| {
                    let run = &self.runs[node.0];
                    (&self.step(run.step).cache, run.row)
                })
                .collect();
            let cache = Cache::gather(&rows)?;
            let tokens: Vec<TokenId> = batch.iter().map(|&(_, token)| token).collect();
            let step = recogniser.step(self.audio, &cache, &tokens)?;
            self.steps.push((depth + 1, Some(step)));
            for (row, &(node, token)) in batch.iter().enumerate() {
                let longer = Node(self.runs.len());
                self.runs.push(Run {
                    depth: depth + 1,
                    step: self.steps.len(),
                    row,
                    longer: Vec::new(),
                });
                self.runs[node.0].longer.push((token, longer));
            }
        }
        Ok(())
    }

    /// Let go of the scores and caches of runs shorter than `depth` tokens: nobody will go on from there.
    pub fn forget(&mut self, depth: usize) {
        for (length, step) in &mut self.steps {
            if !self.kept && *length < depth {
                *step = None;
            }
        }
    }
}
