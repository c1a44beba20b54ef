//! `openapi`: the APIs' documents as reviewed files. Each service prints its own; nothing is edited here.

mod complete;

use crate::cargo::{self, Metadata, Profile};
use crate::error::{Error, Result};
use crate::snapshot::{self, Snapshot};

const APIS: [&str; 2] = ["command-api", "query-api"];

/// Builds the APIs, then [`settle`].
pub(crate) fn run(args: &snapshot::SnapshotArgs) -> Result<()> {
    cargo::build_binaries(&APIS, Profile::Dev)?;
    settle(args)
}

/// Writes or compares the documents of APIs that are built.
pub(crate) fn settle(args: &snapshot::SnapshotArgs) -> Result<()> {
    let metadata = Metadata::read()?;
    let documents = APIS.iter().map(|name| document(&metadata, name));
    let documents = documents.collect::<Result<Vec<_>>>()?;
    snapshot::settle(&documents, args, "openapi")
}

fn document(metadata: &Metadata, name: &str) -> Result<Snapshot> {
    let binary = metadata.binary(name, Profile::Dev);
    let failed = |why: String| Error::message(format!("{name} openapi: {why}"));
    let document: serde_json::Value = cargo::json(&binary, &["openapi"])?;
    let gaps = complete::gaps(&document);
    if !gaps.is_empty() {
        return Err(failed(format!("not complete:\n{}", gaps.join("\n"))));
    }
    let text =
        serde_json::to_string_pretty(&document).map_err(|error| failed(error.to_string()))?;
    Ok(Snapshot {
        path: format!("docs/openapi/{name}.json"),
        text: text + "\n",
    })
}
