//! A world whose inputs are written down when its test fails.
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

use crate::world::{Scene, World};

/// Writes `target/simulate-failures/<test>-<seed>.jsonl` when the test panics, and says how the run comes again.
pub struct Watched {
    world: World,
    test: &'static str,
    seed: u8,
}

impl Watched {
    /// A watched home.
    #[must_use]
    pub fn new(test: &'static str, scene: &Scene) -> Self {
        Self::over(test, scene.seed, World::new(scene))
    }

    /// Watches a world that exists.
    #[must_use]
    pub fn over(test: &'static str, seed: u8, world: World) -> Self {
        Self { world, test, seed }
    }

    /// Where the trace of a failing run goes.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let target = PathBuf::from("../../target"); // tests run in their crate's folder
        target
            .join("simulate-failures")
            .join(format!("{}-{}.jsonl", self.test, self.seed))
    }

    /// Writes the trace now.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_trace(&self) -> std::io::Result<PathBuf> {
        let path = self.path();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, self.world.trace.to_lines())?;
        Ok(path)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        match self.write_trace() {
            Ok(path) => eprintln!(
                "seed {}: the inputs of this run are in {}. The same seed gives the same run; without its world it comes again by \
                 World::replay(&scene, &Trace::from_lines(&text)?)",
                self.seed,
                path.display()
            ),
            Err(error) => eprintln!(
                "seed {}: the trace of this run could not be written: {error}",
                self.seed
            ),
        }
    }
}

impl Deref for Watched {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Watched {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}
