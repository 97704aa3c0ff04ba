//! The provider's message encryption: AES-256-CBC, padded to 32 bytes, with the account's id inside.
//!
//! Plaintext: 16 random bytes, the length of the message (big-endian u32), the message, the app id.

use aes::Aes256;
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding};
use subtle::ConstantTimeEq;

/// The last character of a key may carry bits beyond the 32 bytes; strict decoders refuse such keys.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The provider pads to 32 bytes, though AES blocks are 16.
const PAD_TO: usize = 32;
const RANDOM: usize = 16;
const HEADER: usize = RANDOM + 4;

/// One account's key.
pub struct Cipher {
    key: [u8; 32],
    app_id: String,
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cipher").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

/// Why a message cannot be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The key is not 43 characters of base64.
    #[error("is not an EncodingAESKey: 43 characters of base64, as the account's console shows it")]
    Key,
    /// Not ciphertext of this key. Deliberately one error for length, padding and encoding: telling them apart
    /// helps only who guesses.
    #[error("the encrypted message cannot be read")]
    Unreadable,
    /// Encrypted for another account.
    #[error("the encrypted message is for another app id")]
    OtherApp,
}

impl Cipher {
    /// From the `EncodingAESKey` of the account's console.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn new(encoding_aes_key: &str, app_id: &str) -> Result<Self, CryptoError> {
        if encoding_aes_key.len() != 43 {
            return Err(CryptoError::Key);
        }
        let key = LENIENT.decode(encoding_aes_key).map_err(|_| CryptoError::Key)?;
        Ok(Self { key: key.try_into().map_err(|_| CryptoError::Key)?, app_id: app_id.to_owned() })
    }

    /// The message in `encrypted` (base64).
    ///
    /// # Errors
    /// See [`CryptoError`].
    pub fn decrypt(&self, encrypted: &str) -> Result<String, CryptoError> {
        let mut bytes = STANDARD.decode(encrypted.trim()).map_err(|_| CryptoError::Unreadable)?;
        if bytes.is_empty() || bytes.len() % 16 != 0 {
            return Err(CryptoError::Unreadable);
        }
        let decryptor = cbc::Decryptor::<Aes256>::new(&self.key.into(), &self.iv().into());
        let plain = decryptor.decrypt_padded::<NoPadding>(&mut bytes).map_err(|_| CryptoError::Unreadable)?;
        let plain = unpad(plain).ok_or(CryptoError::Unreadable)?;
        let length = plain.get(RANDOM..HEADER).ok_or(CryptoError::Unreadable)?;
        let length = u32::from_be_bytes(length.try_into().expect("the range is four bytes")) as usize;
        let end = HEADER.checked_add(length).ok_or(CryptoError::Unreadable)?;
        let message = plain.get(HEADER..end).ok_or(CryptoError::Unreadable)?;
        if !bool::from(plain[end..].ct_eq(self.app_id.as_bytes())) {
            return Err(CryptoError::OtherApp);
        }
        String::from_utf8(message.to_vec()).map_err(|_| CryptoError::Unreadable)
    }

    /// Encrypts `message` to base64. `random` makes equal messages differ; it comes from the caller, who may draw.
    pub fn encrypt(&self, message: &str, random: [u8; RANDOM]) -> String {
        let length = u32::try_from(message.len()).expect("a message is shorter than 4 GiB");
        let mut plain = random.to_vec();
        plain.extend(length.to_be_bytes());
        plain.extend(message.as_bytes());
        plain.extend(self.app_id.as_bytes());
        let pad = PAD_TO - plain.len() % PAD_TO;
        plain.resize(plain.len() + pad, pad as u8);
        let encryptor = cbc::Encryptor::<Aes256>::new(&self.key.into(), &self.iv().into());
        STANDARD.encode(encryptor.encrypt_padded_vec::<NoPadding>(&plain))
    }

    /// The first half of the key, as the provider has it.
    fn iv(&self) -> [u8; 16] {
        self.key[..16].try_into().expect("the key is 32 bytes long")
    }
}

fn unpad(plain: &[u8]) -> Option<&[u8]> {
    let pad = usize::from(*plain.last()?);
    let kept = plain.len().checked_sub(pad)?;
    let well_formed =
        (1..=PAD_TO).contains(&pad) && plain[kept..].iter().all(|byte| usize::from(*byte) == pad);
    well_formed.then(|| &plain[..kept])
}
