//! From a model file to a list of steps that cannot fail.
//!
//! Everything that could be wrong with a graph (shapes, types, operands, amount of work) is checked here, once.
//! A [`Plan`] is immutable; the sound heard so far lives in [`super::network::Network`].

use super::WakeError;
use super::kernels::{ByteTable, Conv, Multiplier, Output, Window, logistic_table, rescale_table};
use super::tflite::{Code, Kind, Operator, Subgraph, Tensor, read};

/// Multiplications and moves that one inference may cost.
const WORK_MAX: usize = 20_000_000;
/// State variables of a network.
const VARIABLES_MAX: usize = 64;

/// One step of an inference; numbers are indices of tensors.
#[derive(Debug)]
pub(super) enum Step {
    Conv {
        input: usize,
        output: usize,
        conv: Box<Conv>,
    },
    Depthwise {
        input: usize,
        output: usize,
        conv: Box<Conv>,
    },
    /// Byte for byte through a table: logistic, change of scale.
    Map {
        input: usize,
        output: usize,
        table: Box<ByteTable>,
    },
    Copy {
        input: usize,
        output: usize,
    },
    /// Blocks of the inputs in turn: (tensor, bytes per block).
    Concatenate {
        inputs: Vec<(usize, usize)>,
        output: usize,
    },
    /// Blocks of the input dealt out in turn.
    Split {
        input: usize,
        outputs: Vec<(usize, usize)>,
    },
    /// The output's bytes are those of the input at these places.
    Gather {
        input: usize,
        output: usize,
        places: Vec<u32>,
    },
    Read {
        variable: usize,
        output: usize,
    },
    Assign {
        variable: usize,
        input: usize,
    },
}

/// A checked network.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// Initial bytes of each tensor: constants, or zeros.
    pub(super) tensors: Vec<Vec<i8>>,
    /// Initial bytes of each state variable.
    pub(super) variables: Vec<Vec<i8>>,
    pub(super) input: usize,
    pub(super) output: usize,
    /// Feature vectors per inference.
    pub(super) stride: usize,
    /// Channels per feature vector.
    pub(super) channels: usize,
    pub(super) input_scale: (f32, i32),
    pub(super) output_scale: (f32, i32),
    /// The output byte stands for 0 to 255.
    pub(super) output_unsigned: bool,
}

impl Plan {
    /// Reads and checks a model file.
    pub(super) fn of(model: &[u8]) -> Result<Self, WakeError> {
        let graphs = read(model)?;
        let main = graphs.first().ok_or(WakeError::Graph {
            what: "the model",
            index: 0,
            why: "has no graph",
        })?;
        let mut planner = Planner {
            main,
            names: Vec::new(),
            variables: Vec::new(),
            work: 0,
        };
        let handles = planner.handles(main)?;
        let mut steps = Vec::with_capacity(main.operators.len());
        for (index, operator) in main.operators.iter().enumerate() {
            if operator.code == Code::CallOnce {
                planner.initialise(index, operator, &graphs)?;
            }
        }
        for (index, operator) in main.operators.iter().enumerate() {
            steps.extend(planner.step(index, operator, &handles)?);
        }
        planner.finish(steps)
    }
}

struct Planner<'m> {
    main: &'m Subgraph<'m>,
    /// Container and name of each state variable.
    names: Vec<(&'m [u8], &'m [u8])>,
    variables: Vec<Vec<i8>>,
    work: usize,
}

/// What the checks of one operator need to name it in an error.
#[derive(Clone, Copy)]
struct At {
    index: usize,
}

impl At {
    fn no(self, why: &'static str) -> WakeError {
        WakeError::Graph {
            what: "operator",
            index: self.index,
            why,
        }
    }

    fn need(self, holds: bool, why: &'static str) -> Result<(), WakeError> {
        if holds { Ok(()) } else { Err(self.no(why)) }
    }
}

impl<'m> Planner<'m> {
    /// Which tensor of a graph is the handle of which variable.
    fn handles(&mut self, graph: &Subgraph<'m>) -> Result<Vec<Option<usize>>, WakeError> {
        let mut handles = vec![None; graph.tensors.len()];
        for (index, operator) in graph.operators.iter().enumerate() {
            if operator.code != Code::VarHandle {
                continue;
            }
            let at = At { index };
            let options = operator.options.ok_or(at.no("is a state without a name"))?;
            let name = (
                options.bytes(0, "container")?,
                options.bytes(1, "state name")?,
            );
            let variable = self
                .names
                .iter()
                .position(|known| *known == name)
                .unwrap_or_else(|| {
                    self.names.push(name);
                    self.variables.push(Vec::new());
                    self.names.len() - 1
                });
            at.need(self.names.len() <= VARIABLES_MAX, "is one state too many")?;
            let &[output] = operator.outputs.as_slice() else {
                return Err(at.no("needs one output"));
            };
            let output = usize::try_from(output)
                .ok()
                .filter(|&output| output < handles.len());
            let output = output.ok_or(at.no("writes a tensor that is not there"))?;
            at.need(
                graph.tensors[output].kind == Kind::Resource,
                "is a state of the wrong type",
            )?;
            handles[output] = Some(variable);
        }
        Ok(handles)
    }

    /// CALL_ONCE: the graph it names may only give constants to variables.
    fn initialise(
        &mut self,
        index: usize,
        operator: &Operator<'m>,
        graphs: &[Subgraph<'m>],
    ) -> Result<(), WakeError> {
        let at = At { index };
        let options = operator.options.ok_or(at.no("calls no graph"))?;
        let number = options.i32(0, 0, "called graph")?;
        let graph = usize::try_from(number)
            .ok()
            .filter(|&number| number > 0)
            .and_then(|number| graphs.get(number));
        let graph = graph.ok_or(at.no("calls a graph that is not there"))?;
        let handles = self.handles(graph)?;
        for (index, operator) in graph.operators.iter().enumerate() {
            let at = At { index };
            match operator.code {
                Code::VarHandle => {}
                Code::AssignVariable => {
                    let &[variable, value] = operator.inputs.as_slice() else {
                        return Err(at.no("needs a state and a value"));
                    };
                    let variable = lookup(&handles, variable).ok_or(at.no("writes no state"))?;
                    let value = usize::try_from(value)
                        .ok()
                        .and_then(|value| graph.tensors.get(value));
                    let value = value.ok_or(at.no("reads a tensor that is not there"))?;
                    at.need(
                        is_bytes(value) && value.data.len() == value.elements(),
                        "gives a state no constant",
                    )?;
                    self.variables[variable] = value.data.iter().map(|&byte| byte as i8).collect();
                }
                _ => return Err(at.no("does more at the start than to set states")),
            }
        }
        Ok(())
    }

    fn tensor(&self, at: At, index: i32) -> Result<(usize, &'m Tensor<'m>), WakeError> {
        let index = usize::try_from(index).map_err(|_| at.no("lacks an operand"))?;
        let tensor = self
            .main
            .tensors
            .get(index)
            .ok_or(at.no("names a tensor that is not there"))?;
        Ok((index, tensor))
    }

    /// The operator's input `number`, which must hold bytes.
    fn input(
        &self,
        at: At,
        operator: &Operator<'_>,
        number: usize,
    ) -> Result<(usize, &'m Tensor<'m>), WakeError> {
        let (index, tensor) =
            self.tensor(at, operator.inputs.get(number).copied().unwrap_or(-1))?;
        at.need(is_bytes(tensor), "reads something other than 8-bit numbers")?;
        Ok((index, tensor))
    }

    /// The operator's output `number`: bytes, and no constant.
    fn output(
        &self,
        at: At,
        operator: &Operator<'_>,
        number: usize,
    ) -> Result<(usize, &'m Tensor<'m>), WakeError> {
        let (index, tensor) =
            self.tensor(at, operator.outputs.get(number).copied().unwrap_or(-1))?;
        at.need(
            is_bytes(tensor) && tensor.data.is_empty(),
            "writes something other than computed 8-bit numbers",
        )?;
        Ok((index, tensor))
    }

    /// A constant operand of 32-bit integers.
    fn ints(&self, at: At, operator: &Operator<'_>, number: usize) -> Result<Vec<i32>, WakeError> {
        let (_, tensor) = self.tensor(at, operator.inputs.get(number).copied().unwrap_or(-1))?;
        tensor.ints().ok_or(at.no("needs constant 32-bit operands"))
    }

    fn work(&mut self, amount: usize) -> Result<(), WakeError> {
        self.work = self.work.saturating_add(amount);
        if self.work > WORK_MAX {
            return Err(WakeError::TooMuch {
                what: "multiplications",
                found: self.work,
                max: WORK_MAX,
            });
        }
        Ok(())
    }

    fn step(
        &mut self,
        index: usize,
        operator: &Operator<'m>,
        handles: &[Option<usize>],
    ) -> Result<Option<Step>, WakeError> {
        let at = At { index };
        let apart = operator
            .outputs
            .iter()
            .all(|output| !operator.inputs.contains(output));
        at.need(apart, "reads the tensor that it writes")?;
        Ok(Some(match operator.code {
            Code::CallOnce | Code::VarHandle => return Ok(None),
            Code::Conv2d => self.conv(at, operator, false)?,
            Code::DepthwiseConv2d => self.conv(at, operator, true)?,
            Code::FullyConnected => self.fully_connected(at, operator)?,
            Code::Logistic | Code::Quantize => self.map(at, operator)?,
            Code::Reshape => {
                let ((input, from), (output, to)) =
                    (self.input(at, operator, 0)?, self.output(at, operator, 0)?);
                at.need(
                    from.elements() == to.elements() && from.kind == to.kind,
                    "reshapes to another size",
                )?;
                self.work(to.elements())?;
                Step::Copy { input, output }
            }
            Code::Concatenation => self.concatenate(at, operator)?,
            Code::SplitV => self.split(at, operator)?,
            Code::StridedSlice => self.slice(at, operator)?,
            Code::ReadVariable => {
                let variable = operator
                    .inputs
                    .first()
                    .and_then(|&input| lookup(handles, input));
                let variable = variable.ok_or(at.no("reads no state"))?;
                let (output, to) = self.output(at, operator, 0)?;
                at.need(
                    self.variables[variable].len() == to.elements(),
                    "reads a state of another size",
                )?;
                self.work(to.elements())?;
                Step::Read { variable, output }
            }
            Code::AssignVariable => {
                let variable = operator
                    .inputs
                    .first()
                    .and_then(|&input| lookup(handles, input));
                let variable = variable.ok_or(at.no("writes no state"))?;
                let (input, from) = self.input(at, operator, 1)?;
                at.need(
                    self.variables[variable].len() == from.elements(),
                    "writes a state of another size",
                )?;
                self.work(from.elements())?;
                Step::Assign { variable, input }
            }
        }))
    }

    fn conv(
        &mut self,
        at: At,
        operator: &Operator<'m>,
        depthwise: bool,
    ) -> Result<Step, WakeError> {
        let ((input, from), (output, to)) =
            (self.input(at, operator, 0)?, self.output(at, operator, 0)?);
        let (_, weights) = self.input(at, operator, 1)?;
        let options = operator.options.ok_or(at.no("lacks its options"))?;
        let (
            &[1, height, width, channels_in],
            &[1, rows, columns, channels_out],
            &[outer, k_rows, k_columns, inner],
        ) = (
            from.shape.as_slice(),
            to.shape.as_slice(),
            weights.shape.as_slice(),
        )
        else {
            return Err(at.no("has a shape that is no picture"));
        };
        if depthwise {
            at.need(
                outer == 1 && inner == channels_out && channels_out % channels_in == 0,
                "has unfit channels",
            )?;
        } else {
            at.need(
                outer == channels_out && inner == channels_in,
                "has unfit channels",
            )?;
        }
        // Options: padding, stride width and height, [multiplier], activation, dilation width and height.
        let shifted = usize::from(depthwise);
        let size = |field, absent| -> Result<usize, WakeError> {
            let value = options.i32(field, absent, "convolution options")?;
            let value = usize::try_from(value)
                .ok()
                .filter(|value| (1..=1024).contains(value));
            value.ok_or(at.no("has a stride or dilation out of range"))
        };
        let stride = [size(2, 1)?, size(1, 1)?];
        let dilation = [size(5 + shifted, 1)?, size(4 + shifted, 1)?];
        let same = options.u8(0, 0, "padding")? == 0;
        let mut padding = [0; 2];
        for (axis, (inside, cells, outside)) in
            [(height, k_rows, rows), (width, k_columns, columns)]
                .into_iter()
                .enumerate()
        {
            let span = (cells - 1) * dilation[axis] + 1;
            let expected = if same {
                inside.div_ceil(stride[axis])
            } else {
                at.need(inside >= span, "has a kernel greater than its input")?;
                (inside - span) / stride[axis] + 1
            };
            at.need(outside == expected, "has an output of the wrong size")?;
            if same {
                padding[axis] = ((outside - 1) * stride[axis] + span).saturating_sub(inside) / 2;
            }
        }
        let window = Window {
            input: [height, width],
            kernel: [k_rows, k_columns],
            output: [rows, columns],
            stride,
            dilation,
            padding,
        };
        let activation = options.u8(3 + shifted, 0, "activation")?;
        let per_output = if depthwise {
            k_rows * k_columns
        } else {
            weights.elements() / channels_out
        };
        self.work(to.elements().saturating_mul(per_output))?;
        let axis = if depthwise { 3 } else { 0 };
        let conv = self.layer(
            at,
            operator,
            (from, weights, to),
            window,
            (channels_in, channels_out),
            activation,
            axis,
        )?;
        Ok(if depthwise {
            Step::Depthwise {
                input,
                output,
                conv,
            }
        } else {
            Step::Conv {
                input,
                output,
                conv,
            }
        })
    }

    fn fully_connected(&mut self, at: At, operator: &Operator<'m>) -> Result<Step, WakeError> {
        let ((input, from), (output, to)) =
            (self.input(at, operator, 0)?, self.output(at, operator, 0)?);
        let (_, weights) = self.input(at, operator, 1)?;
        let &[units, depth] = weights.shape.as_slice() else {
            return Err(at.no("has weights that are no matrix"));
        };
        at.need(
            from.elements() == depth && to.elements() == units,
            "has weights of the wrong size",
        )?;
        let activation = operator
            .options
            .map_or(Ok(0), |options| options.u8(0, 0, "activation"))?;
        let one = [1, 1];
        let window = Window {
            input: one,
            kernel: one,
            output: one,
            stride: one,
            dilation: one,
            padding: [0, 0],
        };
        self.work(weights.elements())?;
        let conv = self.layer(
            at,
            operator,
            (from, weights, to),
            window,
            (depth, units),
            activation,
            0,
        )?;
        Ok(Step::Conv {
            input,
            output,
            conv,
        })
    }

    /// What convolutions and fully connected layers have in common: weights, bias, scales.
    #[expect(
        clippy::too_many_arguments,
        reason = "one call per kind of layer, all of it read from the same operator"
    )]
    fn layer(
        &self,
        at: At,
        operator: &Operator<'m>,
        (from, weights, to): (&Tensor<'_>, &Tensor<'_>, &Tensor<'_>),
        window: Window,
        (channels_in, channels_out): (usize, usize),
        activation: u8,
        axis: i32,
    ) -> Result<Box<Conv>, WakeError> {
        at.need(
            [from, weights, to]
                .iter()
                .all(|tensor| tensor.kind == Kind::Int8),
            "is not an int8 layer",
        )?;
        at.need(
            weights.data.len() == weights.elements(),
            "has weights that are not constant",
        )?;
        at.need(
            weights.zero_points.iter().all(|&zero| zero == 0),
            "has weights with a zero point",
        )?;
        let bias = match operator.inputs.get(2).copied().unwrap_or(-1) {
            -1 => vec![0; channels_out],
            index => self
                .tensor(at, index)?
                .1
                .ints()
                .ok_or(at.no("has a bias that is not constant"))?,
        };
        at.need(bias.len() == channels_out, "has a bias of the wrong size")?;
        let (input_scale, input_zero) = scale(at, from)?;
        let (output_scale, output_zero) = scale(at, to)?;
        let per_channel =
            weights.scales.len() == channels_out && (channels_out == 1 || weights.axis == axis);
        at.need(
            per_channel || weights.scales.len() == 1,
            "has scales of the wrong number",
        )?;
        let multipliers = (0..channels_out).map(|channel| {
            let weight_scale = weights.scales[if per_channel { channel } else { 0 }];
            let factor = f64::from(input_scale) * f64::from(weight_scale) / f64::from(output_scale);
            Multiplier::of(factor).ok_or(at.no("has a scale out of range"))
        });
        let min = match activation {
            0 => -128,
            1 => output_zero.max(-128),
            _ => return Err(at.no("has an activation other than none and ReLU")),
        };
        let output = Output {
            multipliers: multipliers.collect::<Result<_, _>>()?,
            zero: output_zero,
            min,
            max: 127,
        };
        let weights = weights.data.iter().map(|&byte| byte as i8).collect();
        Ok(Box::new(Conv {
            window,
            channels_in,
            channels_out,
            weights,
            bias,
            input_zero,
            output,
        }))
    }

    fn map(&mut self, at: At, operator: &Operator<'m>) -> Result<Step, WakeError> {
        let ((input, from), (output, to)) =
            (self.input(at, operator, 0)?, self.output(at, operator, 0)?);
        at.need(
            from.elements() == to.elements(),
            "has an output of another size",
        )?;
        at.need(from.kind == Kind::Int8, "reads something other than int8")?;
        let (input_scale, output_scale) = (scale(at, from)?, scale(at, to)?);
        let table = if operator.code == Code::Logistic {
            at.need(to.kind == Kind::Int8, "writes something other than int8")?;
            logistic_table(input_scale, output_scale)
        } else {
            let factor = f64::from(input_scale.0) / f64::from(output_scale.0);
            let multiplier = Multiplier::of(factor).ok_or(at.no("has a scale out of range"))?;
            rescale_table(
                multiplier,
                input_scale.1,
                output_scale.1,
                to.kind == Kind::UInt8,
            )
        };
        self.work(to.elements())?;
        Ok(Step::Map {
            input,
            output,
            table: Box::new(table),
        })
    }

    /// Parts of `whole` along an axis: the block length of each part, when the other dimensions agree.
    fn blocks(
        at: At,
        whole: &Tensor<'_>,
        parts: &[&Tensor<'_>],
        axis: i32,
    ) -> Result<Vec<usize>, WakeError> {
        let rank = whole.shape.len();
        let axis = if axis < 0 {
            i64::from(axis) + rank as i64
        } else {
            i64::from(axis)
        };
        let axis = usize::try_from(axis)
            .ok()
            .filter(|&axis| axis < rank)
            .ok_or(at.no("has an axis out of range"))?;
        let mut sum = 0;
        for part in parts {
            let fits = part.shape.len() == rank
                && (0..rank).all(|other| other == axis || part.shape[other] == whole.shape[other]);
            at.need(
                fits && part.kind == whole.kind,
                "joins tensors of unfit shapes",
            )?;
            at.need(
                part.scales == whole.scales && part.zero_points == whole.zero_points,
                "joins unlike scales",
            )?;
            sum += part.shape[axis];
        }
        at.need(sum == whole.shape[axis], "joins tensors of the wrong size")?;
        Ok(parts
            .iter()
            .map(|part| part.shape[axis..].iter().product())
            .collect())
    }

    fn concatenate(&mut self, at: At, operator: &Operator<'m>) -> Result<Step, WakeError> {
        let (output, to) = self.output(at, operator, 0)?;
        let options = operator.options.ok_or(at.no("lacks its options"))?;
        at.need(options.u8(1, 0, "activation")? == 0, "has an activation")?;
        let count = operator.inputs.len();
        let inputs: Vec<_> = (0..count)
            .map(|i| self.input(at, operator, i))
            .collect::<Result<_, _>>()?;
        let parts: Vec<_> = inputs.iter().map(|&(_, tensor)| tensor).collect();
        let blocks = Self::blocks(at, to, &parts, options.i32(0, 0, "axis")?)?;
        self.work(to.elements())?;
        Ok(Step::Concatenate {
            inputs: inputs.iter().map(|&(index, _)| index).zip(blocks).collect(),
            output,
        })
    }

    fn split(&mut self, at: At, operator: &Operator<'m>) -> Result<Step, WakeError> {
        let (input, from) = self.input(at, operator, 0)?;
        let sizes = self.ints(at, operator, 1)?;
        let &[axis] = self.ints(at, operator, 2)?.as_slice() else {
            return Err(at.no("needs one axis"));
        };
        at.need(
            sizes.len() == operator.outputs.len(),
            "has another number of outputs than of sizes",
        )?;
        let outputs: Vec<_> = (0..sizes.len())
            .map(|i| self.output(at, operator, i))
            .collect::<Result<_, _>>()?;
        let parts: Vec<_> = outputs.iter().map(|&(_, tensor)| tensor).collect();
        // The sizes are those of the outputs; `blocks` checks that they add up.
        let blocks = Self::blocks(at, from, &parts, axis)?;
        self.work(from.elements())?;
        Ok(Step::Split {
            input,
            outputs: outputs
                .iter()
                .map(|&(index, _)| index)
                .zip(blocks)
                .collect(),
        })
    }

    fn slice(&mut self, at: At, operator: &Operator<'m>) -> Result<Step, WakeError> {
        let ((input, from), (output, to)) =
            (self.input(at, operator, 0)?, self.output(at, operator, 0)?);
        let options = operator.options.ok_or(at.no("lacks its options"))?;
        let mask = |field| options.i32(field, 0, "slice masks");
        at.need(
            mask(2)? == 0 && mask(3)? == 0 && mask(4)? == 0,
            "slices in a way that is not supported",
        )?;
        let (begin_mask, end_mask) = (mask(0)?, mask(1)?);
        let (begin, end, strides) = (
            self.ints(at, operator, 1)?,
            self.ints(at, operator, 2)?,
            self.ints(at, operator, 3)?,
        );
        let rank = from.shape.len();
        at.need(
            [&begin, &end, &strides]
                .iter()
                .all(|list| list.len() == rank),
            "slices another number of axes",
        )?;
        at.need(
            to.shape.len() == rank && to.kind == from.kind,
            "has an output of another shape",
        )?;
        let mut places = vec![0_u32];
        self.work(to.elements())?;
        for axis in 0..rank {
            let size = from.shape[axis] as i64;
            let clamp = |value: i32| {
                let value = i64::from(value);
                (if value < 0 { value + size } else { value }).clamp(0, size)
            };
            let first = if begin_mask >> axis & 1 == 1 {
                0
            } else {
                clamp(begin[axis])
            };
            let last = if end_mask >> axis & 1 == 1 {
                size
            } else {
                clamp(end[axis])
            };
            at.need(strides[axis] > 0, "slices backwards")?;
            let along: Vec<i64> = (first..last).step_by(strides[axis] as usize).collect();
            at.need(
                along.len() == to.shape[axis],
                "has an output of another size",
            )?;
            // Row-major: each further axis multiplies what came before. All below `from.elements()`.
            places = places
                .iter()
                .flat_map(|&place| {
                    along
                        .iter()
                        .map(move |&step| place * size as u32 + step as u32)
                })
                .collect();
        }
        Ok(Step::Gather {
            input,
            output,
            places,
        })
    }

    fn finish(self, steps: Vec<Step>) -> Result<Plan, WakeError> {
        let at = At {
            index: self.main.operators.len(),
        };
        let (&[input], &[output]) = (self.main.inputs.as_slice(), self.main.outputs.as_slice())
        else {
            return Err(at.no("the network needs one input and one output"));
        };
        let ((input, from), (output, to)) = (self.tensor(at, input)?, self.tensor(at, output)?);
        let &[1, stride, channels] = from.shape.as_slice() else {
            return Err(at.no("the network's input is not a batch of one with feature vectors"));
        };
        at.need(
            from.kind == Kind::Int8 && from.data.is_empty(),
            "the network's input is not int8",
        )?;
        at.need(
            is_bytes(to) && to.elements() == 1,
            "the network's output is not one 8-bit number",
        )?;
        let tensors = self.main.tensors.iter().map(|tensor| {
            if !is_bytes(tensor) {
                Vec::new()
            } else if tensor.data.len() == tensor.elements() {
                tensor.data.iter().map(|&byte| byte as i8).collect()
            } else {
                vec![0; tensor.elements()]
            }
        });
        Ok(Plan {
            steps,
            tensors: tensors.collect(),
            input,
            output,
            stride,
            channels,
            input_scale: scale(at, from)?,
            output_scale: scale(at, to)?,
            output_unsigned: to.kind == Kind::UInt8,
            variables: self.variables,
        })
    }
}

fn is_bytes(tensor: &Tensor<'_>) -> bool {
    matches!(tensor.kind, Kind::Int8 | Kind::UInt8)
}

fn lookup(handles: &[Option<usize>], tensor: i32) -> Option<usize> {
    usize::try_from(tensor)
        .ok()
        .and_then(|tensor| handles.get(tensor).copied().flatten())
}

/// The one scale and zero point of a computed tensor.
fn scale(at: At, tensor: &Tensor<'_>) -> Result<(f32, i32), WakeError> {
    let (&[scale], &[zero]) = (tensor.scales.as_slice(), tensor.zero_points.as_slice()) else {
        return Err(at.no("has a tensor without one scale"));
    };
    let fits = scale.is_finite() && scale > 0.0 && (-128..=255).contains(&zero);
    at.need(fits, "has a scale out of range")?;
    Ok((scale, zero as i32))
}
