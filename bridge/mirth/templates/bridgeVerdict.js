/**
	Says what an answer of the bridge means: "done", "stop" (sending it again does not help) or "wait" (it may).

	@param {Number} status - HTTP status; 0: there was no answer.
	@param {String} body - Body of the answer. The bridge never answers with nothing, or with a page.
	@return {String} done, stop or wait.
*/
function bridgeVerdict(status, body) {
    var isTemporary = status === 408 || status === 425 || status === 429;
    if (status >= 400 && status < 500 && !isTemporary) {
        return 'stop';
    }
    return status >= 200 && status < 300 && body !== '' && !/^\s*</.test(body) ? 'done' : 'wait';
}
