//! A wake-word network with the memory of one stream.

use super::WakeError;
use super::plan::{Plan, Step};

/// A planned network, its tensors and its state variables.
#[derive(Debug)]
pub(super) struct Network {
    plan: Plan,
    tensors: Vec<Vec<i8>>,
    variables: Vec<Vec<i8>>,
    sums: Vec<i32>,
}

impl Network {
    pub(super) fn new(model: &[u8]) -> Result<Self, WakeError> {
        let plan = Plan::of(model)?;
        Ok(Self {
            tensors: plan.tensors.clone(),
            variables: plan.variables.clone(),
            sums: Vec::new(),
            plan,
        })
    }

    /// Feature vectors that one inference takes.
    pub(super) fn stride(&self) -> usize {
        self.plan.stride
    }

    /// Numbers in one feature vector.
    pub(super) fn channels(&self) -> usize {
        self.plan.channels
    }

    /// Scale and zero point of the input.
    pub(super) fn input_scale(&self) -> (f32, i32) {
        self.plan.input_scale
    }

    /// Where the next inference's quantised features go, `stride` vectors of `channels`.
    pub(super) fn input(&mut self) -> &mut [i8] {
        &mut self.tensors[self.plan.input]
    }

    /// Forgets all sound.
    pub(super) fn reset(&mut self) {
        self.variables.clone_from(&self.plan.variables);
    }

    /// One inference; the probability of the keyword, 0 to 1.
    pub(super) fn invoke(&mut self) -> f32 {
        for step in &self.plan.steps {
            run(step, &mut self.tensors, &mut self.variables, &mut self.sums);
        }
        let byte = self.tensors[self.plan.output][0];
        let value = if self.plan.output_unsigned {
            i32::from(byte as u8)
        } else {
            i32::from(byte)
        };
        (value - self.plan.output_scale.1) as f32 * self.plan.output_scale.0
    }
}

fn run(step: &Step, tensors: &mut [Vec<i8>], variables: &mut [Vec<i8>], sums: &mut Vec<i32>) {
    match step {
        Step::Conv {
            input,
            output,
            conv,
        } => write(tensors, *output, |all, out| conv.full(&all[*input], out)),
        Step::Depthwise {
            input,
            output,
            conv,
        } => {
            write(tensors, *output, |all, out| {
                conv.depthwise(&all[*input], out, sums);
            });
        }
        Step::Map {
            input,
            output,
            table,
        } => write(tensors, *output, |all, out| {
            for (to, &from) in out.iter_mut().zip(&all[*input]) {
                *to = table[usize::from(from as u8)];
            }
        }),
        Step::Copy { input, output } => write(tensors, *output, |all, out| {
            out.copy_from_slice(&all[*input]);
        }),
        Step::Concatenate { inputs, output } => write(tensors, *output, |all, out| {
            let period: usize = inputs.iter().map(|&(_, block)| block).sum();
            let mut start = 0;
            for &(input, block) in inputs {
                for (whole, part) in out
                    .chunks_exact_mut(period)
                    .zip(all[input].chunks_exact(block))
                {
                    whole[start..start + block].copy_from_slice(part);
                }
                start += block;
            }
        }),
        Step::Split { input, outputs } => {
            let period: usize = outputs.iter().map(|&(_, block)| block).sum();
            let mut start = 0;
            for &(output, block) in outputs {
                write(tensors, output, |all, out| {
                    for (whole, part) in all[*input]
                        .chunks_exact(period)
                        .zip(out.chunks_exact_mut(block))
                    {
                        part.copy_from_slice(&whole[start..start + block]);
                    }
                });
                start += block;
            }
        }
        Step::Gather {
            input,
            output,
            places,
        } => write(tensors, *output, |all, out| {
            for (to, &place) in out.iter_mut().zip(places) {
                *to = all[*input][place as usize];
            }
        }),
        Step::Read { variable, output } => tensors[*output].copy_from_slice(&variables[*variable]),
        Step::Assign { variable, input } => variables[*variable].copy_from_slice(&tensors[*input]),
    }
}

/// Takes the output out of the tensors so that the inputs can be read meanwhile.
fn write(tensors: &mut [Vec<i8>], output: usize, fill: impl FnOnce(&[Vec<i8>], &mut [i8])) {
    let mut out = core::mem::take(&mut tensors[output]);
    fill(tensors, &mut out);
    tensors[output] = out;
}
