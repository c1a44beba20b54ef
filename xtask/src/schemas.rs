//! `schemas`: docs/asyncapi.yaml and docs/schemas/ as reviewed files. The example `schemas` generates them; only it needs
//! schema's types, so that `up` does not build them.

use std::collections::BTreeMap;

use crate::cargo::{self, Metadata};
use crate::error::Result;
use crate::snapshot::{self, Snapshot};

/// Builds the generator, then [`settle`].
pub(crate) fn run(args: &snapshot::SnapshotArgs) -> Result<()> {
    cargo::run(&mut cargo::command(&["build", "--example", "schemas"]))?;
    settle(args)
}

/// Writes or compares what the generator prints: one JSON object, from path to text.
pub(crate) fn settle(args: &snapshot::SnapshotArgs) -> Result<()> {
    let generator = Metadata::read()?.example("schemas");
    let files: BTreeMap<String, String> = cargo::json(&generator, &[])?;
    let files: Vec<_> = files
        .into_iter()
        .map(|(path, text)| Snapshot { path, text })
        .collect();
    snapshot::settle(&files, args, "schemas")
}
