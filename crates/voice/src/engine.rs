//! Neural inference: the one module that knows ONNX Runtime.
//!
//! The library comes with the models and is loaded from a path that the caller names; sessions come from bytes.
//! The rest of the crate sees [`Engine`], [`Session`], [`Tensor`] and [`Input`] only, so that another runtime can
//! take its place here. Each session computes on the caller's thread unless told otherwise: on a small box a pool of
//! spinning workers costs more than it saves.
use ort::session::{SessionInputValue, SessionOutputs, builder::GraphOptimizationLevel};
use ort::value::{DynValue, TensorElementType, TensorRef};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What went wrong below the models.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The library file is missing, is not ONNX Runtime, or is too old.
    #[error("cannot load ONNX Runtime from {path}: {reason}; run `hearth models install`")]
    Library {
        /// The path that was tried.
        path: PathBuf,
        /// The loader's own words.
        reason: String,
    },
    /// The model's bytes do not make a session.
    #[error("model {model} does not load: {reason}; run `hearth models verify`")]
    Model {
        /// The name given to [`Engine::session`].
        model: String,
        /// The runtime's own words.
        reason: String,
    },
    /// An input has a shape that its data does not fill, or the runtime refused to compute.
    #[error("model {model} does not run: {reason}")]
    Run {
        /// The name given to [`Engine::session`].
        model: String,
        /// The runtime's own words.
        reason: String,
    },
    /// The model gave no output of that name and type.
    #[error("model {model} has no output {output} of type {wanted}")]
    Output {
        /// The name given to [`Engine::session`].
        model: String,
        /// The name asked for.
        output: String,
        /// The element type asked for.
        wanted: &'static str,
    },
}

/// The runtime allows one environment in a process and never a second one, so it is kept for good.
static ENVIRONMENT: OnceLock<Result<ort::environment::Environment, String>> = OnceLock::new();

/// ONNX Runtime, loaded. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    environment: ort::environment::Environment,
    threads: usize,
}

impl Engine {
    /// Load the library at `library` (the only `dlopen` of this crate). A second call keeps the library of the first.
    ///
    /// # Errors
    /// [`EngineError::Library`] when the file is missing, foreign or too old.
    pub fn open(library: &Path) -> Result<Self, EngineError> {
        let failed = |reason: String| EngineError::Library {
            path: library.to_owned(),
            reason,
        };
        let builder = ort::init_from(library).map_err(|e| failed(e.to_string()))?;
        let environment = ENVIRONMENT
            .get_or_init(|| {
                let environment = builder
                    .with_name("hearthline")
                    .with_telemetry(false)
                    .build()
                    .map_err(|e| e.to_string())?;
                // Errors come back as values; the library itself prints nothing.
                environment.set_log_level(ort::logging::LogLevel::Fatal);
                Ok(environment)
            })
            .clone()
            .map_err(failed)?;
        Ok(Self {
            environment,
            threads: 1,
        })
    }

    /// The same engine, whose sessions use `threads` threads inside one operator (default 1).
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.clamp(1, 64);
        self
    }

    /// Make a session of a model in `.onnx` or `.ort` form; `name` is for error messages. The bytes may go afterwards.
    ///
    /// # Errors
    /// [`EngineError::Model`] when the bytes are no model that this runtime knows.
    pub fn session(&self, name: &str, model: &[u8]) -> Result<Session, EngineError> {
        self.build(model)
            .map(|session| Session {
                name: name.to_owned(),
                session,
            })
            .map_err(|e| EngineError::Model {
                model: name.to_owned(),
                reason: e,
            })
    }

    fn build(&self, model: &[u8]) -> Result<ort::session::Session, String> {
        let text = |e: ort::Error<ort::session::builder::SessionBuilder>| e.to_string();
        ort::session::Session::builder(&self.environment)
            .map_err(|e| e.to_string())?
            .with_optimization_level(GraphOptimizationLevel::All)
            .map_err(text)?
            .with_intra_threads(self.threads)
            .map_err(text)?
            .with_intra_op_spinning(false)
            .map_err(text)?
            // Every utterance has another length: a plan per shape would only fill memory.
            .with_memory_pattern(false)
            .map_err(text)?
            .commit_from_memory(model)
            .map_err(|e| e.to_string())
    }
}

/// One named input of a run. Slices are read in place.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// 32-bit floats: shape, then elements row by row.
    F32(&'a [i64], &'a [f32]),
    /// 64-bit integers.
    I64(&'a [i64], &'a [i64]),
    /// Truth values.
    Bool(&'a [i64], &'a [bool]),
    /// A tensor that an earlier run gave, or one made by [`Tensor::f32`].
    Kept(&'a Tensor),
}

/// A tensor that outlives the run that made it.
#[derive(Debug)]
pub struct Tensor(DynValue);

impl Tensor {
    /// A tensor of floats, filled row by row.
    ///
    /// # Errors
    /// [`EngineError::Run`] when `data` does not fill `shape`.
    pub fn f32(shape: &[i64], data: Vec<f32>) -> Result<Self, EngineError> {
        new_tensor(|| {
            ort::value::Tensor::from_array((shape, data)).map(ort::value::Tensor::into_dyn)
        })
    }

    /// A tensor of 64-bit integers, filled row by row.
    ///
    /// # Errors
    /// [`EngineError::Run`] when `data` does not fill `shape`.
    pub fn i64(shape: &[i64], data: Vec<i64>) -> Result<Self, EngineError> {
        new_tensor(|| {
            ort::value::Tensor::from_array((shape, data)).map(ort::value::Tensor::into_dyn)
        })
    }

    /// Shape and elements, if these are floats.
    #[must_use]
    pub fn as_f32(&self) -> Option<(&[i64], &[f32])> {
        self.0
            .try_extract_tensor::<f32>()
            .ok()
            .map(|(shape, data)| (&**shape, data))
    }

    /// Shape and elements, if these are 64-bit integers.
    #[must_use]
    pub fn as_i64(&self) -> Option<(&[i64], &[i64])> {
        self.0
            .try_extract_tensor::<i64>()
            .ok()
            .map(|(shape, data)| (&**shape, data))
    }
}

fn new_tensor(make: impl FnOnce() -> ort::Result<DynValue>) -> Result<Tensor, EngineError> {
    let failed = |reason| EngineError::Run {
        model: "(new tensor)".to_owned(),
        reason,
    };
    // Without a library the wrapper would go and look for one by itself.
    if !matches!(ENVIRONMENT.get(), Some(Ok(_))) {
        return Err(failed(
            "no library is loaded; call Engine::open first".to_owned(),
        ));
    }
    make().map(Tensor).map_err(|e| failed(e.to_string()))
}

/// One model, ready to run.
#[derive(Debug)]
pub struct Session {
    name: String,
    session: ort::session::Session,
}

impl Session {
    /// The names of the inputs, in the model's order.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.session.inputs().iter().map(ort::value::Outlet::name)
    }

    /// The names of the outputs, in the model's order.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.session.outputs().iter().map(ort::value::Outlet::name)
    }

    /// Shape of the input `name`; -1 stands for a length that is free. Nothing when there is no such tensor.
    #[must_use]
    pub fn input_shape(&self, name: &str) -> Option<Vec<i64>> {
        let input = self
            .session
            .inputs()
            .iter()
            .find(|input| input.name() == name)?;
        input.dtype().tensor_shape().map(|shape| shape.to_vec())
    }

    /// Compute once.
    ///
    /// # Errors
    /// [`EngineError::Run`] when an input is missing, has a wrong shape or type, or the computation fails.
    pub fn run(&mut self, inputs: &[(&str, Input<'_>)]) -> Result<Outputs<'_>, EngineError> {
        let name = &self.name;
        let failed = |e: ort::Error| EngineError::Run {
            model: name.clone(),
            reason: e.to_string(),
        };
        let mut values: Vec<(Cow<'_, str>, SessionInputValue<'_>)> =
            Vec::with_capacity(inputs.len());
        for (key, input) in inputs {
            let value: SessionInputValue<'_> = match *input {
                Input::F32(shape, data) => TensorRef::from_array_view((shape, data))
                    .map_err(failed)?
                    .into(),
                Input::I64(shape, data) => TensorRef::from_array_view((shape, data))
                    .map_err(failed)?
                    .into(),
                Input::Bool(shape, data) => TensorRef::from_array_view((shape, data))
                    .map_err(failed)?
                    .into(),
                Input::Kept(tensor) => (&tensor.0).into(),
            };
            values.push((Cow::Borrowed(*key), value));
        }
        let outputs = self.session.run(values).map_err(failed)?;
        Ok(Outputs {
            model: &self.name,
            outputs,
        })
    }
}

/// What a run gave.
#[derive(Debug)]
pub struct Outputs<'s> {
    model: &'s str,
    outputs: SessionOutputs<'s>,
}

impl Outputs<'_> {
    /// Shape and elements of the float output `name`.
    ///
    /// # Errors
    /// [`EngineError::Output`] when there is none of that name, or it is not float.
    pub fn f32(&self, name: &str) -> Result<(&[i64], &[f32]), EngineError> {
        self.outputs
            .get(name)
            .and_then(|value| value.try_extract_tensor::<f32>().ok())
            .map(|(shape, data)| (&**shape, data))
            .ok_or_else(|| self.missing(name, "f32"))
    }

    /// Take the output `name` out, to feed it to a later run. Nothing is copied.
    ///
    /// # Errors
    /// [`EngineError::Output`] when there is none of that name, or it is no tensor of floats or integers.
    pub fn take(&mut self, name: &str) -> Result<Tensor, EngineError> {
        match self.outputs.remove(name) {
            Some(value)
                if matches!(
                    value.dtype().tensor_type(),
                    Some(TensorElementType::Float32 | TensorElementType::Int64)
                ) =>
            {
                Ok(Tensor(value))
            }
            _ => Err(self.missing(name, "tensor")),
        }
    }

    fn missing(&self, output: &str, wanted: &'static str) -> EngineError {
        EngineError::Output {
            model: self.model.to_owned(),
            output: output.to_owned(),
            wanted,
        }
    }
}
