//! Which errors of Kafka are transient.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::retry::{Classify, ErrorClass};

impl Classify for KafkaError {
    fn class(&self) -> ErrorClass {
        use RDKafkaErrorCode as C;
        let transient = [
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
        // An error of the admin client has its code elsewhere.
        let code = if let Self::AdminOp(code) = self {
            Some(*code)
        } else {
            self.rdkafka_error_code()
        };
        match code {
            Some(code) if transient.contains(&code) => ErrorClass::Transient,
            _ => ErrorClass::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unavailable_broker_is_transient_and_a_record_too_large_is_permanent() {
        let unavailable = KafkaError::MetadataFetch(RDKafkaErrorCode::BrokerTransportFailure);
        assert_eq!(unavailable.class(), ErrorClass::Transient);
        let too_large = KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge);
        assert_eq!(too_large.class(), ErrorClass::Permanent);
    }
}
