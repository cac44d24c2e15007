//! Seeded chance. In: a seed. Out: the same numbers, tokens and ids on every run with that seed.
//! Always true: nothing else in the crate is random.

use uuid::Uuid;

/// A small seeded generator (splitmix64); good for tokens of a sandbox, useless for secrets.
#[derive(Debug, Clone)]
pub(crate) struct Chance {
    state: u64,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.state)
    }

    /// True with this probability.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        (self.number() >> 11) as f64 / ((1_u64 << 53) as f64) < probability
    }

    /// Forty hexadecimal digits, the shape of an access token.
    pub(crate) fn token(&mut self) -> String {
        let (a, b, c) = (self.number(), self.number(), self.number());
        format!("{a:016x}{b:016x}{:08x}", c >> 32)
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        let wide = (u128::from(self.number()) << 64) | u128::from(self.number());
        uuid::Builder::from_random_bytes(wide.to_be_bytes()).into_uuid()
    }
}

/// Spreads a number evenly, so that "5% of the rows" can be decided from a row's id alone.
pub(crate) fn mix(number: u64) -> u64 {
    let a = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let b = (a ^ (a >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    b ^ (b >> 31)
}
