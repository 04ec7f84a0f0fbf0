//! NTLM version 2: signing in to WinRM and to proxies, and sealing what is said to WinRM.
//!
//! The protocol is that of `sspi`, a library that Devolutions keeps for its own products; this file is all that the rest
//! of the program sees of it. It speaks it itself, so an account is always given by name, on Windows too.

use sspi::{
    AuthIdentity, AuthIdentityBuffers, BufferType, ClientRequestFlags, CredentialUse, DataRepresentation,
    EncryptionFlags, SecurityBuffer, SecurityBufferRef, Sspi, SspiImpl, Username,
};

use crate::site::Secret;

/// One sign-in, on one connection.
pub(crate) struct Ntlm {
    context: sspi::Ntlm,
    credentials: Option<AuthIdentityBuffers>,
}

/// Why a sign-in cannot go on. Safe to print; it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NtlmError {
    /// The name of the account is none.
    #[error("`{}` is no name of an account (DOMAIN\\user, user@domain or user)", crate::text::printable(.0, 80))]
    Account(String),
    /// What the other side sent is not what it should be.
    #[error("its challenge is none of NTLM version 2")]
    Challenge,
    /// A sealed message is not one of the other side, or not the next.
    #[error("its signature is not that of the message")]
    Altered,
    /// The fault of this machine.
    #[error("{}", crate::text::printable(.0, 160))]
    Here(String),
}

/// A sealed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) signature: [u8; SIGNATURE],
    pub(crate) data: Vec<u8>,
}

/// The size of a signature, in octets.
pub(crate) const SIGNATURE: usize = 16;

impl Ntlm {
    /// A sign-in of `user` (`DOMAIN\user`, `user@domain` or `user`). `binding` is the channel binding of the TLS session
    /// below, if there is one (RFC 5929, `tls-server-end-point:` and the hash).
    pub(crate) fn new(user: &str, password: &Secret, binding: Option<&[u8]>) -> Result<Self, NtlmError> {
        let account = || NtlmError::Account(user.to_owned());
        let username = Username::parse(user).map_err(|_| account())?;
        if username.account_name().is_empty() || user.chars().any(char::is_control) || user.len() > MAX_USER {
            return Err(account());
        }
        let identity = AuthIdentity { username, password: password.expose().to_owned().into() };
        let mut context = sspi::Ntlm::new();
        if let Some(binding) = binding {
            context.set_channel_bindings(binding);
        }
        let acquired = context
            .acquire_credentials_handle()
            .with_credential_use(CredentialUse::Outbound)
            .with_auth_data(&identity)
            .execute(&mut context)
            .map_err(here)?;
        Ok(Self { context, credentials: acquired.credentials_handle })
    }

    /// The first message.
    pub(crate) fn negotiate(&mut self) -> Result<Vec<u8>, NtlmError> {
        self.step(None)
    }

    /// The answer to the other side's challenge.
    pub(crate) fn authenticate(&mut self, challenge: &[u8]) -> Result<Vec<u8>, NtlmError> {
        self.step(Some(challenge))
    }

    fn step(&mut self, challenge: Option<&[u8]>) -> Result<Vec<u8>, NtlmError> {
        let mut input = [SecurityBuffer::new(challenge.unwrap_or_default().to_vec(), BufferType::Token)];
        let mut output = [SecurityBuffer::new(Vec::new(), BufferType::Token)];
        let mut builder = self
            .context
            .initialize_security_context()
            .with_credentials_handle(&mut self.credentials)
            .with_context_requirements(ClientRequestFlags::CONFIDENTIALITY | ClientRequestFlags::INTEGRITY)
            .with_target_data_representation(DataRepresentation::Native)
            .with_output(&mut output);
        if challenge.is_some() {
            builder = builder.with_input(&mut input);
        }
        self.context
            .initialize_security_context_impl(&mut builder)
            .and_then(|mut generator| generator.resolve_to_result())
            .map_err(|error| if challenge.is_some() { NtlmError::Challenge } else { here(error) })?;
        let [token] = output;
        Ok(token.buffer)
    }

    /// Seals a message to the other side; messages are numbered, so each goes out once and in order.
    pub(crate) fn seal(&mut self, message: &[u8]) -> Result<Sealed, NtlmError> {
        let (mut signature, mut data) = ([0; SIGNATURE], message.to_vec());
        let mut buffers = [SecurityBufferRef::token_buf(&mut signature), SecurityBufferRef::data_buf(&mut data)];
        self.context.encrypt_message(EncryptionFlags::empty(), &mut buffers).map_err(here)?;
        Ok(Sealed { signature, data })
    }

    /// Opens the next message of the other side.
    pub(crate) fn open(&mut self, sealed: Sealed) -> Result<Vec<u8>, NtlmError> {
        let Sealed { mut signature, mut data } = sealed;
        let mut buffers = [SecurityBufferRef::token_buf(&mut signature), SecurityBufferRef::data_buf(&mut data)];
        self.context.decrypt_message(&mut buffers).map_err(|_| NtlmError::Altered)?;
        Ok(data)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn here(error: sspi::Error) -> NtlmError {
    NtlmError::Here(error.to_string())
}

const MAX_USER: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ntlm(user: &str) -> Result<Ntlm, NtlmError> {
        Ntlm::new(user, &Secret::new("Contoso-Secret-1"), Some(b"tls-server-end-point:0123"))
    }

    /// A challenge as MS-NLMP has them (section 2.2.1.2), with a domain's name and the end of the list.
    fn challenge() -> Vec<u8> {
        let info = [b"\x02\x00\x0e\x00C\0O\0N\0T\0O\0S\0O\0".as_slice(), &[0; 4]].concat();
        let flags: u32 = 0xe28a_8235;
        let length = u8::try_from(info.len()).unwrap();
        let mut challenge = b"NTLMSSP\0\x02\0\0\0\0\0\0\0\x38\0\0\0".to_vec();
        challenge.extend(flags.to_le_bytes());
        challenge.extend(*b"\x01\x23\x45\x67\x89\xab\xcd\xef\0\0\0\0\0\0\0\0");
        challenge.extend([length, 0, length, 0, 0x38, 0, 0, 0]);
        challenge.extend(*b"\x0a\0\x63\x45\0\0\0\x0f");
        challenge.extend(info);
        challenge
    }

    #[test]
    fn the_messages_are_those_of_ntlm_and_hold_no_password() {
        let mut ntlm = ntlm(r"CONTOSO\svc-cm").unwrap();
        assert!(ntlm.negotiate().unwrap().starts_with(b"NTLMSSP\0\x01\0\0\0"));
        let last = ntlm.authenticate(&challenge()).unwrap();
        assert!(last.starts_with(b"NTLMSSP\0\x03\0\0\0"));
        let text = String::from_utf8_lossy(&last).replace('\0', "");
        assert!(text.contains("CONTOSO") && text.contains("svc-cm") && !text.contains("Secret"), "{text}");
    }

    #[test]
    fn what_was_sealed_is_not_readable_and_needs_its_turn() {
        let mut ntlm = ntlm("svc-cm@contoso.com").unwrap();
        ntlm.negotiate().unwrap();
        ntlm.authenticate(&challenge()).unwrap();
        let (first, second) = (ntlm.seal(b"hello").unwrap(), ntlm.seal(b"hello").unwrap());
        assert_ne!(first.data, b"hello");
        assert_ne!(first, second);
        // What we sealed is for the other side, not from it.
        assert!(matches!(ntlm.open(first), Err(NtlmError::Altered)));
    }

    #[test]
    fn a_name_that_is_no_account_is_refused() {
        for user in ["", r"CONTOSO\", "a\nb", &"x".repeat(600)] {
            assert!(matches!(ntlm(user), Err(NtlmError::Account(_))), "{user}");
        }
    }

    proptest! {
        #[test]
        fn no_challenge_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut ntlm = ntlm("svc-cm").unwrap();
            ntlm.negotiate().unwrap();
            let _ = ntlm.authenticate(&bytes);
        }

        #[test]
        fn no_altered_challenge_panics(at in 8_usize..78, to in any::<u8>()) {
            let mut ntlm = ntlm("svc-cm").unwrap();
            ntlm.negotiate().unwrap();
            let mut bytes = challenge();
            let at = at.min(bytes.len() - 1);
            bytes[at] = to;
            if ntlm.authenticate(&bytes).is_ok() {
                let sealed = ntlm.seal(b"x").unwrap();
                let _ = ntlm.open(sealed);
            }
        }

        #[test]
        fn no_answer_panics(signature in any::<[u8; SIGNATURE]>(), data in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut ntlm = ntlm("svc-cm").unwrap();
            ntlm.negotiate().unwrap();
            ntlm.authenticate(&challenge()).unwrap();
            let opened = ntlm.open(Sealed { signature, data });
            prop_assert!(opened.is_err());
        }
    }
}
