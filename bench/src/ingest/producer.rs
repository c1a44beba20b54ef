//! The yardstick of batches: Kafka's own `ProducerPerformance`, with the records that the command-api makes of the same reports, and
//! its batch size, linger, compression and acknowledgements. Its records have no key, so it computes no partitions.

use std::fs;
use std::path::Path;

use ess_projector::config::Settings;
use tokio::process::Command;

use crate::error::{Error, Result};

/// A run of Kafka's producer.
pub(super) struct Producer<'s> {
    pub(super) settings: &'s Settings,
    pub(super) topic: &'s str,
    /// One record a line, drawn at random.
    pub(super) payloads: &'s Path,
    pub(super) jars: &'s Path,
}

impl Producer<'_> {
    /// Sends `records` records. Returns the records per second that it reports, which do not include the start of the JVM.
    ///
    /// # Errors
    /// If it fails, or reports no rate.
    pub(super) async fn run(&self, records: u64) -> Result<f64> {
        let producer = &self.settings.producer;
        let properties = format!(
            "bootstrap.servers={}\nacks=all\ncompression.type=lz4\nbatch.size={}\nlinger.ms={}\nbuffer.memory=134217728\n",
            self.settings.kafka.brokers,
            producer.batch_bytes,
            producer.linger.as_millis(),
        );
        let file = self.payloads.with_extension("properties");
        fs::write(&file, properties)?;
        let mut java = Command::new("java");
        java.arg("-cp")
            .arg(self.jars.join("*"))
            .arg("org.apache.kafka.tools.ProducerPerformance")
            .args(["--topic", self.topic, "--throughput", "-1"])
            .args(["--num-records", &records.to_string()])
            .arg("--payload-file")
            .arg(self.payloads)
            .arg("--producer.config")
            .arg(&file);
        let output = java.kill_on_drop(true).output().await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let failed = || {
            let error = String::from_utf8_lossy(&output.stderr);
            Error::message(format!("ProducerPerformance failed: {text}{error}"))
        };
        records_per_second(&text)
            .filter(|_| output.status.success())
            .ok_or_else(failed)
    }
}

/// Records per second in the last line: `600000 records sent, 143123.4 records/sec (…)`.
fn records_per_second(text: &str) -> Option<f64> {
    let line = text.lines().rfind(|line| line.contains("records sent, "))?;
    let rate = line.split("records sent, ").nth(1)?;
    rate.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_has_the_total_rate() {
        let text = "349 records sent, 69.8 records/sec (0.02 MB/sec)\n\
            600000 records sent, 143123.4 records/sec (40.1 MB/sec), 5.1 ms avg latency\n";
        assert_eq!(records_per_second(text), Some(143_123.4));
        assert_eq!(records_per_second("Exception"), None);
    }
}
