//! What can be wrong with the log, and whether trying again can help.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::admin::SETTLE;
use crate::retry::{Classify, ErrorClass};

/// The topics cannot be used as they are.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The broker cannot be asked, or refused.
    #[error("the log's broker cannot be asked about its topics: {0}")]
    Kafka(#[from] KafkaError),
    /// The broker refused to create or describe a topic.
    #[error("topic {topic}: the broker answered {code}")]
    Refused {
        /// The topic.
        topic: String,
        /// The broker's reason.
        code: RDKafkaErrorCode,
    },
    /// A topic that exists is laid out otherwise than configured.
    #[error(
        "topic {topic} has {setting} = {found}, but {wanted} is configured ({key}); change the configuration, or make a new topic"
    )]
    Mismatch {
        /// The topic.
        topic: String,
        /// What differs.
        setting: &'static str,
        /// What the topic has.
        found: String,
        /// What the configuration wants.
        wanted: String,
        /// The configuration key.
        key: &'static str,
    },
    /// A topic that has no leader for every partition.
    #[error("topic {topic} has not had a leader for each of its partitions within {} s", SETTLE.as_secs())]
    Leaderless {
        /// The topic.
        topic: String,
    },
}

impl Classify for TopicError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Kafka(error) => error.class(),
            Self::Refused { code, .. } => KafkaError::Global(*code).class(),
            Self::Leaderless { .. } => ErrorClass::Transient,
            Self::Mismatch { .. } => ErrorClass::Permanent,
        }
    }
}

impl Classify for KafkaError {
    fn class(&self) -> ErrorClass {
        use RDKafkaErrorCode as C;
        let passing = [
            C::BrokerTransportFailure,
            C::AllBrokersDown,
            C::Resolve,
            C::OperationTimedOut,
            C::MessageTimedOut,
            C::TimedOutQueue,
            C::RequestTimedOut,
            C::QueueFull,
            C::LeaderNotAvailable,
            C::NotLeaderForPartition,
            C::BrokerNotAvailable,
            C::ReplicaNotAvailable,
            C::NetworkException,
            C::CoordinatorLoadInProgress,
            C::CoordinatorNotAvailable,
            C::NotCoordinator,
            C::NotController,
            C::NotEnoughReplicas,
            C::NotEnoughReplicasAfterAppend,
            C::UnknownTopicOrPartition,
            C::UnknownTopic,
            C::UnknownPartition,
            C::RebalanceInProgress,
            C::IllegalGeneration,
            C::UnknownMemberId,
        ];
        // The administrator's errors carry their code elsewhere.
        let code = if let Self::AdminOp(code) = self {
            Some(*code)
        } else {
            self.rdkafka_error_code()
        };
        match code {
            Some(code) if passing.contains(&code) => ErrorClass::Transient,
            _ => ErrorClass::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_is_away_may_come_back_and_a_wrong_setting_will_not_right_itself() {
        let away = KafkaError::MetadataFetch(RDKafkaErrorCode::BrokerTransportFailure);
        assert_eq!(away.class(), ErrorClass::Transient);
        let refused = KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge);
        assert_eq!(refused.class(), ErrorClass::Permanent);
    }
}
