//! Downloads Apache Kafka from Maven Central: Maven resolves a generated pom and checks checksums.
//! Never uses the tarball or the scripts of Kafka.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::child;
use crate::download::Download;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::versions::{KAFKA, KAFKA_SCALA, LOG4J};

pub(crate) fn kafka() -> Download {
    Download {
        name: "Apache Kafka",
        folder: format!("kafka-{KAFKA}"),
        contents: format!("kafka_{KAFKA_SCALA} {KAFKA}\nlog4j {LOG4J}\n"),
        fill,
    }
}

fn fill(folder: &Path) -> Result<()> {
    let pom = folder.join("pom.xml");
    fs::write(&pom, pom_xml()).map_err(Error::io("cannot write", &pom))?;
    let mut progress = Progress::spinner(format!("Apache Kafka {KAFKA} from Maven Central"));
    let mut downloaded = 0_u32;
    let mut maven = Command::new("mvn");
    maven
        .args([
            "-B",
            "dependency:copy-dependencies",
            "-DoutputDirectory=lib",
        ])
        .current_dir(folder);
    child::run("downloading Apache Kafka with Maven", &mut maven, |line| {
        // [INFO] Downloaded from central: https://…/name.jar (12 kB at 34 kB/s)
        let url = line
            .split_once("Downloaded from ")
            .and_then(|(_, from)| from.split(' ').nth(1));
        if let Some(artifact) = url.and_then(|url| url.rsplit('/').next()) {
            downloaded += 1;
            progress.message(&format!("{downloaded} files, {artifact}"));
        }
    })?;
    let jars = folder.join("lib");
    let broker = jars.join(format!("kafka_{KAFKA_SCALA}-{KAFKA}.jar"));
    if !broker.is_file() {
        return Err(Error::Incomplete {
            what: "Apache Kafka",
            path: broker,
        });
    }
    let count = fs::read_dir(&jars)
        .map_err(Error::io("cannot read", &jars))?
        .count();
    progress.done(&format!("{count} jars"));
    Ok(())
}

fn pom_xml() -> String {
    let artifacts = [
        ("org.apache.kafka", format!("kafka_{KAFKA_SCALA}"), KAFKA),
        ("org.apache.kafka", "kafka-tools".to_owned(), KAFKA),
        (
            "org.apache.logging.log4j",
            "log4j-slf4j-impl".to_owned(),
            LOG4J,
        ),
        ("org.apache.logging.log4j", "log4j-core".to_owned(), LOG4J),
    ];
    let dependency = |(group, artifact, version): &(&str, String, &str)| {
        format!(
            "    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
             <version>{version}</version></dependency>\n"
        )
    };
    let dependencies: String = artifacts.iter().map(dependency).collect();
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  \
         <groupId>ess</groupId><artifactId>parts</artifactId><version>1</version>\n  \
         <dependencies>\n{dependencies}  </dependencies>\n</project>\n"
    )
}
