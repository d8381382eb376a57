function bridgeVerdict(status) {
    var isTemporary = status === 408 || status === 425 || status === 429;
    if (status >= 400 && status < 500 && !isTemporary) {
        return 'stop';
    }
    return status >= 200 && status < 300 ? 'done' : 'wait';
}
