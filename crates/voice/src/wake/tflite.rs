//! TensorFlow Lite model files, as far as streaming wake-word networks use them.
//!
//! This file reads what is written, checks sizes, and copies nothing but small vectors; what the numbers mean is
//! decided in [`super::plan`]. Field numbers are those of TensorFlow's `schema.fbs`, version 3.

use super::WakeError;
use super::flatbuffer::{Table, Vector};

/// Largest accepted model file.
pub const MODEL_BYTES_MAX: usize = 1 << 20;
const SUBGRAPHS_MAX: usize = 8;
const TENSORS_MAX: usize = 1024;
const OPERATORS_MAX: usize = 1024;
const BUFFERS_MAX: usize = 4096;
const DIMENSIONS_MAX: usize = 5;
const OPERANDS_MAX: usize = 64;
/// Elements of one tensor.
const ELEMENTS_MAX: usize = 1 << 17;
/// Elements of all tensors together.
const ELEMENTS_ALL_MAX: usize = 1 << 22;

/// `TensorType` of the schema, the members that occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int32,
    UInt8,
    Int8,
    Resource,
}

/// A tensor's description and, for constants, its bytes.
pub(super) struct Tensor<'a> {
    pub(super) kind: Kind,
    pub(super) shape: Vec<usize>,
    pub(super) scales: Vec<f32>,
    pub(super) zero_points: Vec<i64>,
    pub(super) axis: i32,
    /// Empty for tensors that are computed.
    pub(super) data: &'a [u8],
}

impl Tensor<'_> {
    pub(super) fn elements(&self) -> usize {
        // Checked when the shape was read.
        self.shape.iter().product()
    }

    /// A constant vector of 32-bit integers.
    pub(super) fn ints(&self) -> Option<Vec<i32>> {
        let whole = self.kind == Kind::Int32 && self.data.len() == 4 * self.elements();
        whole.then(|| {
            self.data
                .chunks_exact(4)
                .map(|four| i32::from_le_bytes([four[0], four[1], four[2], four[3]]))
                .collect()
        })
    }
}

/// `BuiltinOperator` of the schema, the members that occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Concatenation,
    Conv2d,
    DepthwiseConv2d,
    FullyConnected,
    Logistic,
    Reshape,
    StridedSlice,
    SplitV,
    Quantize,
    CallOnce,
    VarHandle,
    ReadVariable,
    AssignVariable,
}

impl Code {
    fn of(number: i32) -> Option<Self> {
        Some(match number {
            2 => Self::Concatenation,
            3 => Self::Conv2d,
            4 => Self::DepthwiseConv2d,
            9 => Self::FullyConnected,
            14 => Self::Logistic,
            22 => Self::Reshape,
            45 => Self::StridedSlice,
            102 => Self::SplitV,
            114 => Self::Quantize,
            129 => Self::CallOnce,
            142 => Self::VarHandle,
            143 => Self::ReadVariable,
            144 => Self::AssignVariable,
            _ => return None,
        })
    }
}

/// One operator: what it is, which tensors it reads and writes, and its options.
pub(super) struct Operator<'a> {
    pub(super) code: Code,
    /// Indices of tensors; -1 where an optional operand is absent.
    pub(super) inputs: Vec<i32>,
    pub(super) outputs: Vec<i32>,
    pub(super) options: Option<Table<'a>>,
}

/// A graph of operators in the order of execution.
pub(super) struct Subgraph<'a> {
    pub(super) tensors: Vec<Tensor<'a>>,
    pub(super) inputs: Vec<i32>,
    pub(super) outputs: Vec<i32>,
    pub(super) operators: Vec<Operator<'a>>,
}

fn within(what: &'static str, found: usize, max: usize) -> Result<(), WakeError> {
    if found > max {
        Err(WakeError::TooMuch { what, found, max })
    } else {
        Ok(())
    }
}

/// Reads all graphs of a model file.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Subgraph<'_>>, WakeError> {
    within("model bytes", bytes.len(), MODEL_BYTES_MAX)?;
    if bytes.get(4..8) != Some(b"TFL3") {
        return Err(WakeError::NotTflite);
    }
    let root = Table::root(bytes)?;
    let code_tables = root.vector(1, 4, "operator codes")?;
    within("operator codes", code_tables.len(), OPERATORS_MAX)?;
    let mut codes = Vec::with_capacity(code_tables.len());
    for index in 0..code_tables.len() {
        let table = code_tables.table(index, "operator code")?;
        // Old writers fill field 0, new ones field 3, and the greater counts.
        let old = i32::from(table.u8(0, 0, "operator code")? as i8);
        codes.push(old.max(table.i32(3, 0, "operator code")?));
    }
    let buffers = root.vector(4, 4, "buffers")?;
    within("buffers", buffers.len(), BUFFERS_MAX)?;
    let graphs = root.vector(2, 4, "subgraphs")?;
    within("subgraphs", graphs.len(), SUBGRAPHS_MAX)?;
    let mut elements_all = 0;
    (0..graphs.len())
        .map(|index| {
            subgraph(
                graphs.table(index, "subgraph")?,
                &buffers,
                &codes,
                &mut elements_all,
            )
        })
        .collect()
}

fn subgraph<'a>(
    table: Table<'a>,
    buffers: &Vector<'a>,
    codes: &[i32],
    elements_all: &mut usize,
) -> Result<Subgraph<'a>, WakeError> {
    let tensor_tables = table.vector(0, 4, "tensors")?;
    within("tensors", tensor_tables.len(), TENSORS_MAX)?;
    let mut tensors = Vec::with_capacity(tensor_tables.len());
    for index in 0..tensor_tables.len() {
        let tensor = tensor(index, tensor_tables.table(index, "tensor")?, buffers)?;
        *elements_all += tensor.elements();
        within("elements of all tensors", *elements_all, ELEMENTS_ALL_MAX)?;
        tensors.push(tensor);
    }
    let operator_tables = table.vector(3, 4, "operators")?;
    within("operators", operator_tables.len(), OPERATORS_MAX)?;
    let mut operators = Vec::with_capacity(operator_tables.len());
    for index in 0..operator_tables.len() {
        let table = operator_tables.table(index, "operator")?;
        let number = codes
            .get(table.u32(0, 0, "operator")? as usize)
            .copied()
            .unwrap_or(-1);
        let code = Code::of(number).ok_or(WakeError::Operator { index, number })?;
        operators.push(Operator {
            code,
            inputs: operands(&table, 1)?,
            outputs: operands(&table, 2)?,
            options: table.table(4, "operator options")?,
        });
    }
    Ok(Subgraph {
        tensors,
        inputs: operands(&table, 1)?,
        outputs: operands(&table, 2)?,
        operators,
    })
}

fn operands(table: &Table<'_>, field: usize) -> Result<Vec<i32>, WakeError> {
    let vector = table.vector(field, 4, "operands")?;
    within("operands", vector.len(), OPERANDS_MAX)?;
    Ok(vector.i32s("operands")?)
}

fn tensor<'a>(
    index: usize,
    table: Table<'a>,
    buffers: &Vector<'a>,
) -> Result<Tensor<'a>, WakeError> {
    let dimensions = table.vector(0, 4, "shape")?;
    within("dimensions", dimensions.len(), DIMENSIONS_MAX)?;
    let mut shape = Vec::with_capacity(dimensions.len());
    let mut elements = 1_usize;
    for dimension in dimensions.i32s("shape")? {
        let size = usize::try_from(dimension).ok().filter(|&size| size > 0);
        let size = size.ok_or(WakeError::Graph {
            what: "a tensor",
            index,
            why: "has an empty or open dimension",
        })?;
        elements = elements.saturating_mul(size);
        within("elements of a tensor", elements, ELEMENTS_MAX)?;
        shape.push(size);
    }
    let kind = match table.u8(1, 0, "tensor type")? {
        2 => Kind::Int32,
        3 => Kind::UInt8,
        9 => Kind::Int8,
        13 => Kind::Resource,
        _ => {
            return Err(WakeError::Graph {
                what: "tensor",
                index,
                why: "is neither int8, uint8, int32 nor a state",
            });
        }
    };
    let buffer = table.u32(2, 0, "buffer")? as usize;
    if buffer >= buffers.len() {
        return Err(WakeError::Graph {
            what: "tensor",
            index,
            why: "names a buffer that is not there",
        });
    }
    let data = buffers.table(buffer, "buffer")?.bytes(0, "buffer")?;
    let (mut scales, mut zero_points, mut axis) = (Vec::new(), Vec::new(), 0);
    if let Some(quantisation) = table.table(4, "quantisation")? {
        let vector = quantisation.vector(2, 4, "scales")?;
        within("scales", vector.len(), ELEMENTS_MAX)?;
        scales = vector.f32s("scales")?;
        let vector = quantisation.vector(3, 8, "zero points")?;
        within("zero points", vector.len(), ELEMENTS_MAX)?;
        zero_points = vector.i64s("zero points")?;
        axis = quantisation.i32(6, 0, "quantised dimension")?;
    }
    Ok(Tensor {
        kind,
        shape,
        scales,
        zero_points,
        axis,
        data,
    })
}
