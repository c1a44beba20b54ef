//! `openapi`: the APIs' documents as reviewed files. Each service prints its own; nothing is edited here.

mod complete;

use std::process::{Command, Stdio};

use crate::cargo::{self, Metadata, Profile};
use crate::error::{Error, Result};
use crate::snapshot::{self, Snapshot};

const APIS: [(&str, &str); 2] = [
    ("command-api", "ess-command-api"),
    ("query-api", "ess-query-api"),
];

pub(crate) fn run(args: &snapshot::Args) -> Result<()> {
    let packages: Vec<_> = APIS
        .iter()
        .flat_map(|(_, package)| ["-p", package])
        .collect();
    cargo::build(&packages)?;
    let metadata = Metadata::read()?;
    let snapshots = APIS
        .iter()
        .map(|api| document(&metadata, *api))
        .collect::<Result<Vec<_>>>()?;
    snapshot::settle(&snapshots, args, "openapi")
}

fn document(metadata: &Metadata, (name, package): (&str, &str)) -> Result<Snapshot> {
    let binary = metadata.binary(package, Profile::Debug)?;
    let failed = |why: String| Error::message(format!("{name} openapi: {why}"));
    let mut command = Command::new(&binary);
    let output = command
        .arg("openapi")
        .stdin(Stdio::null())
        .output()
        .map_err(Error::io("run", &binary))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let document: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
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
