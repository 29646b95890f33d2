"""One file an engine. A voice turns a sentence into a WAV file in a child process, or raises `VoiceFailed`."""
