//! Generates keys for tests, and signs tokens with them.

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode, get_current_timestamp,
    jwk::{Jwk, PublicKeyUse},
};
use serde_json::{Value, json};

/// A signing key and its id.
pub(super) struct SigningKey {
    pub(super) id: &'static str,
    pub(super) algorithm: Algorithm,
    pub(super) key: EncodingKey,
}

impl SigningKey {
    pub(super) fn es256(id: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        Self {
            id,
            algorithm: Algorithm::ES256,
            key: EncodingKey::from_ec_der(der.as_ref()),
        }
    }

    pub(super) fn rs256(id: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = pair.as_der().unwrap();
        Self {
            id,
            algorithm: Algorithm::RS256,
            // For 2,048 bits, PKCS #8 is 26 bytes followed by PKCS #1, which the crate needs.
            key: EncodingKey::from_rsa_der(&der.as_ref()[26..]),
        }
    }

    pub(super) fn hs256(secret: &str) -> Self {
        Self {
            id: "",
            algorithm: Algorithm::HS256,
            key: EncodingKey::from_secret(secret.as_bytes()),
        }
    }

    /// The public key, for a JWK set.
    pub(super) fn jwk(&self) -> Jwk {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.id.to_owned());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk
    }

    pub(super) fn token(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = (!self.id.is_empty()).then(|| self.id.to_owned());
        encode(&header, claims, &self.key).unwrap()
    }
}

/// Valid claims with `changed` ones in place; null removes a claim.
pub(super) fn claims(changed: &Value) -> Value {
    let now = get_current_timestamp();
    let mut claims = json!({"sub": "ann", "aud": "ess", "exp": now + 600, "scope": "openid write"});
    for (name, value) in changed.as_object().unwrap() {
        let all = claims.as_object_mut().unwrap();
        match value {
            Value::Null => drop(all.remove(name)),
            value => drop(all.insert(name.clone(), value.clone())),
        }
    }
    claims
}
