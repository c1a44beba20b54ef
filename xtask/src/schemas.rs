//! `schemas`: docs/asyncapi.yaml and docs/schemas/ as reviewed files. The example `schemas` generates them; only it needs
//! schema's types, so that `up` does not build them.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use crate::cargo::{self, Metadata};
use crate::error::{Error, Result};
use crate::snapshot::{self, Snapshot};

/// Builds the generator, then [`settle`].
pub(crate) fn run(args: &snapshot::SnapshotArgs) -> Result<()> {
    cargo::run(&mut cargo::command(&["build", "--example", "schemas"]))?;
    settle(args)
}

/// Writes or compares what the generator prints: one JSON object, from path to text.
pub(crate) fn settle(args: &snapshot::SnapshotArgs) -> Result<()> {
    let generator = Metadata::read()?.example("schemas");
    let mut command = Command::new(&generator);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Error::io("run", &generator))?;
    let files: BTreeMap<String, String> = serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::message(format!("{}: {error}", generator.display())))?;
    let files: Vec<_> = files
        .into_iter()
        .map(|(path, text)| Snapshot { path, text })
        .collect();
    snapshot::settle(&files, args, "schemas")
}
