//! A model's file parted in two at one tensor, so that what is made of the tensor can be made bit by bit.
//!
//! ```text
//! inputs ─► before ─► tensor ─► behind ─► output
//! ```
//! Only the outermost layers of the file are read (`ModelProto`, `GraphProto`, `NodeProto`, names of `TensorProto` and
//! `ValueInfoProto` in onnx.proto3); what stands inside is handed on as it is.
use std::collections::{HashMap, HashSet};

/// Fields of `ModelProto`, `GraphProto`, `NodeProto`, and the names of `TensorProto` and `ValueInfoProto`.
mod field {
    pub(super) const MODEL_GRAPH: u64 = 7;
    pub(super) const GRAPH_NODE: u64 = 1;
    pub(super) const GRAPH_INITIALIZER: u64 = 5;
    pub(super) const GRAPH_INPUT: u64 = 11;
    pub(super) const GRAPH_OUTPUT: u64 = 12;
    pub(super) const GRAPH_VALUE_INFO: u64 = 13;
    pub(super) const NODE_INPUT: u64 = 1;
    pub(super) const NODE_OUTPUT: u64 = 2;
    pub(super) const NODE_NAME: u64 = 3;
    pub(super) const TENSOR_NAME: u64 = 8;
    pub(super) const VALUE_INFO_NAME: u64 = 1;
}

/// The two halves.
#[derive(Debug, PartialEq, Eq)]
pub struct Parted {
    /// From the model's inputs to the tensor.
    pub before: Vec<u8>,
    /// From the tensor to the model's output.
    pub behind: Vec<u8>,
    /// The tensor's name: an output of the one, the only input of the other.
    pub tensor: String,
}

/// Parts an ONNX model at what the node named `first` takes in. None when the file is no model, has no such node, or the
/// rest needs anything else of what comes before it.
#[must_use]
pub fn part(model: &[u8], first: &str) -> Option<Parted> {
    let fields: Vec<Field<'_>> = Fields(model).collect::<Option<_>>()?;
    let graph = fields.iter().find(|f| f.number == field::MODEL_GRAPH)?;
    let graph = Graph::read(graph.bytes)?;
    let at = graph.nodes.iter().find(|node| node.name == first)?;
    let tensor = *at.inputs.first()?;
    let info = graph.infos.get(tensor)?;
    let behind = graph.behind(tensor)?;
    let half = |is_behind: bool| {
        let mut inside = Vec::new();
        let mut used: HashSet<&str> = HashSet::new();
        for (node, behind) in graph.nodes.iter().zip(&behind) {
            if behind.is_in(is_behind) {
                put(&mut inside, field::GRAPH_NODE, node.bytes);
                used.extend(&node.inputs);
            }
        }
        for (name, bytes) in &graph.initializers {
            if used.contains(name) {
                put(&mut inside, field::GRAPH_INITIALIZER, bytes);
            }
        }
        let (inputs, outputs) = match is_behind {
            false => (graph.inputs.as_slice(), std::slice::from_ref(info)),
            true => (std::slice::from_ref(info), graph.outputs.as_slice()),
        };
        for input in inputs {
            put(&mut inside, field::GRAPH_INPUT, input);
        }
        for output in outputs {
            put(&mut inside, field::GRAPH_OUTPUT, output);
        }
        for other in &graph.others {
            inside.extend_from_slice(other);
        }
        let mut out = Vec::new();
        for f in &fields {
            match f.number {
                field::MODEL_GRAPH => put(&mut out, field::MODEL_GRAPH, &inside),
                _ => out.extend_from_slice(f.whole),
            }
        }
        out
    };
    Some(Parted {
        before: half(false),
        behind: half(true),
        tensor: tensor.to_owned(),
    })
}

/// Where a node belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    Behind,
    /// A constant that both sides may need.
    Both,
}

impl Side {
    fn is_in(self, is_behind: bool) -> bool {
        match self {
            Self::Before => !is_behind,
            Self::Behind => is_behind,
            Self::Both => true,
        }
    }
}

struct Node<'a> {
    name: &'a str,
    inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
    bytes: &'a [u8],
}

#[derive(Default)]
struct Graph<'a> {
    /// Each after those that it needs (the format's own rule).
    nodes: Vec<Node<'a>>,
    initializers: Vec<(&'a str, &'a [u8])>,
    inputs: Vec<&'a [u8]>,
    outputs: Vec<&'a [u8]>,
    /// Shapes of what is inside, by name.
    infos: HashMap<&'a str, &'a [u8]>,
    /// Name, remarks and whatever else there is, as fields.
    others: Vec<&'a [u8]>,
}

impl<'a> Graph<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut graph = Self::default();
        for f in Fields(bytes) {
            let f = f?;
            match f.number {
                field::GRAPH_NODE => graph.nodes.push(Node::read(f.bytes)?),
                field::GRAPH_INITIALIZER => {
                    let name = text(f.bytes, field::TENSOR_NAME)?;
                    graph.initializers.push((name, f.bytes));
                }
                field::GRAPH_INPUT => graph.inputs.push(f.bytes),
                field::GRAPH_OUTPUT => graph.outputs.push(f.bytes),
                field::GRAPH_VALUE_INFO => {
                    graph
                        .infos
                        .insert(text(f.bytes, field::VALUE_INFO_NAME)?, f.bytes);
                }
                _ => graph.others.push(f.whole),
            }
        }
        Some(graph)
    }

    /// On which side of the tensor each node stands.
    fn behind(&self, tensor: &str) -> Option<Vec<Side>> {
        let mut made: HashMap<&str, Side> = HashMap::new();
        let mut sides = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let needs = |name: &str| name == tensor || made.get(name) == Some(&Side::Behind);
            let side = if node.inputs.iter().any(|name| needs(name)) {
                Side::Behind
            } else if node.inputs.is_empty() {
                Side::Both
            } else {
                Side::Before
            };
            made.extend(node.outputs.iter().map(|name| (*name, side)));
            sides.push(side);
        }
        // Nothing behind the tensor may need what was made before it.
        let inputs: HashSet<&str> = self
            .inputs
            .iter()
            .filter_map(|info| text(info, field::VALUE_INFO_NAME))
            .collect();
        let whole = self.nodes.iter().zip(&sides).all(|(node, side)| {
            *side != Side::Behind
                || node.inputs.iter().all(|name| {
                    *name == tensor
                        || (made.get(name) != Some(&Side::Before) && !inputs.contains(name))
                })
        });
        let outputs = self.outputs.iter().all(|info| {
            text(info, field::VALUE_INFO_NAME)
                .is_some_and(|name| made.get(name) == Some(&Side::Behind))
        });
        (whole && outputs).then_some(sides)
    }
}

impl<'a> Node<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut node = Self {
            name: "",
            inputs: Vec::new(),
            outputs: Vec::new(),
            bytes,
        };
        for f in Fields(bytes) {
            let f = f?;
            let said = || std::str::from_utf8(f.bytes).ok();
            match f.number {
                field::NODE_INPUT => node.inputs.push(said()?),
                field::NODE_OUTPUT => node.outputs.push(said()?),
                field::NODE_NAME => node.name = said()?,
                _ => {}
            }
        }
        Some(node)
    }
}

/// The first text under this number.
fn text(message: &[u8], number: u64) -> Option<&str> {
    let found = Fields(message).find_map(|f| f.filter(|f| f.number == number))?;
    std::str::from_utf8(found.bytes).ok()
}

/// One field of a message.
struct Field<'a> {
    number: u64,
    /// What it holds, where that has a length of its own; else nothing.
    bytes: &'a [u8],
    /// With its key.
    whole: &'a [u8],
}

/// The fields of a message in their order; `None` where it is damaged, and nothing behind that.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<Field<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = one(self.0);
        self.0 = match &field {
            Some(field) => &self.0[field.whole.len()..],
            None => &[],
        };
        Some(field)
    }
}

fn one(message: &[u8]) -> Option<Field<'_>> {
    let (key, begin) = varint(message)?;
    let rest = &message[begin..];
    let (skipped, length) = match key & 7 {
        0 => (varint(rest)?.1, 0),
        1 => (8, 0),
        2 => {
            let (length, bytes) = varint(rest)?;
            (bytes, usize::try_from(length).ok()?)
        }
        5 => (4, 0),
        _ => return None,
    };
    let end = skipped.checked_add(length)?;
    Some(Field {
        number: key >> 3,
        bytes: rest.get(skipped..end)?,
        whole: &message[..begin + end],
    })
}

/// A number of seven bits a byte, and its length.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(at).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

fn put(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_varint(out, number << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(fields: &[(u64, Vec<u8>)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, bytes) in fields {
            put(&mut out, *number, bytes);
        }
        out
    }

    fn node(name: &str, inputs: &[&str], outputs: &[&str]) -> (u64, Vec<u8>) {
        let mut fields = vec![(3, name.into())];
        fields.extend(inputs.iter().map(|name| (1, (*name).into())));
        fields.extend(outputs.iter().map(|name| (2, (*name).into())));
        (1, message(&fields))
    }

    fn named(field: u64, inside: u64, name: &str) -> (u64, Vec<u8>) {
        (field, message(&[(inside, name.into())]))
    }

    fn model(last: &[&str]) -> Vec<u8> {
        let graph = message(&[
            node("one", &[], &["1"]),
            node("read", &["in", "weight a"], &["a"]),
            node("turn", &["a", "1"], &["z"]),
            node("pre", &["z", "weight b"], &["b"]),
            node("post", last, &["out"]),
            named(5, 8, "weight a"),
            named(5, 8, "weight b"),
            named(11, 1, "in"),
            named(12, 1, "out"),
            named(13, 1, "z"),
            (2, "a graph".into()),
        ]);
        message(&[(8, vec![16, 15]), (7, graph)])
    }

    #[test]
    fn each_half_has_what_it_needs_and_nothing_else() {
        let parted = part(&model(&["b", "1"]), "pre").unwrap();
        assert_eq!(parted.tensor, "z");
        let half = |nodes: &[(u64, Vec<u8>)], weight: &str, ends: [&str; 2]| {
            let mut fields = nodes.to_vec();
            fields.push(named(5, 8, weight));
            fields.push(named(11, 1, ends[0]));
            fields.push(named(12, 1, ends[1]));
            fields.push((2, "a graph".into()));
            message(&[(8, vec![16, 15]), (7, message(&fields))])
        };
        let before = [
            node("one", &[], &["1"]),
            node("read", &["in", "weight a"], &["a"]),
            node("turn", &["a", "1"], &["z"]),
        ];
        assert_eq!(parted.before, half(&before, "weight a", ["in", "z"]));
        let behind = [
            node("one", &[], &["1"]),
            node("pre", &["z", "weight b"], &["b"]),
            node("post", &["b", "1"], &["out"]),
        ];
        assert_eq!(parted.behind, half(&behind, "weight b", ["z", "out"]));
    }

    #[test]
    fn what_needs_more_than_the_tensor_stays_whole() {
        assert_eq!(part(&model(&["b", "a"]), "pre"), None);
        assert_eq!(part(&model(&["b", "in"]), "pre"), None);
        assert_eq!(part(&model(&["b"]), "no such node"), None);
    }

    #[test]
    fn damage_is_no_model() {
        let whole = model(&["b"]);
        assert!(part(&whole, "pre").is_some());
        for end in 0..whole.len() {
            assert_eq!(part(&whole[..end], "pre"), None, "{end}");
        }
        for at in 0..whole.len() {
            for byte in [0, 0x7f, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] = byte;
                let _ = part(&changed, "pre");
            }
        }
    }
}
