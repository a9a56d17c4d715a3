// Folders that are chosen, or dropped onto the page with all that is in them, sent as one zip archive.
(function () {
  // Of the archive's parts before each file, in its table, and at its end; names come on top of the first two.
  const [LOCAL, CENTRAL, END] = [30, 46, 22];
  const encoder = new TextEncoder();

  const REMAINDERS = Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
    return rest;
  });

  function crc32(bytes) {
    let rest = 0xffffffff;
    for (const byte of bytes) rest = REMAINDERS[(rest ^ byte) & 255] ^ (rest >>> 8);
    return ~rest >>> 0;
  }

  // Numbers of the archive are little-endian; a pair is a number and its bytes.
  function packed(...numbers) {
    const view = new DataView(new ArrayBuffer(numbers.reduce((sum, [, bytes]) => sum + bytes, 0)));
    let at = 0;
    for (const [number, bytes] of numbers) {
      if (bytes === 4) view.setUint32(at, number, true);
      else view.setUint16(at, number, true);
      at += bytes;
    }
    return view.buffer;
  }

  // What both of a file's headers say: version, names in UTF-8, stored as it is, no date.
  function described(member, crc) {
    const { size } = member.file;
    return [[20, 2], [0x800, 2], [0, 2], [0, 2], [33, 2], [crc, 4], [size, 4], [size, 4], [member.name.length, 2]];
  }

  // Files are referred to, not copied: the browser reads them again as they are sent.
  async function archived(members) {
    const parts = [];
    const table = [];
    let offset = 0;
    for (const member of members) {
      const what = described(member, crc32(new Uint8Array(await member.file.arrayBuffer())));
      parts.push(packed([0x04034b50, 4], ...what, [0, 2]), member.name, member.file);
      const rest = [[0, 2], [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]];
      table.push(packed([0x02014b50, 4], [20, 2], ...what, ...rest), member.name);
      offset += LOCAL + member.name.length + member.file.size;
    }
    const length = members.reduce((sum, member) => sum + CENTRAL + member.name.length, 0);
    const count = members.length;
    const end = packed([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [length, 4], [offset, 4], [0, 2]);
    return new Blob([...parts, ...table, end]);
  }

  function sendTogether(slot, name, files) {
    const members = files
      .filter(({ path }) => !path.split("/").some((part) => part.startsWith(".")))
      .map(({ path, file }) => ({ name: encoder.encode(path), file }));
    const size = members.reduce((sum, m) => sum + LOCAL + CENTRAL + 2 * m.name.length + m.file.size, END);
    return window.vsclick.send(slot, `${name}.zip`, size, () => archived(members));
  }

  const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

  // A folder tells of a hundred of its entries at a time.
  async function entriesOf(folder) {
    const reader = folder.createReader();
    const all = [];
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return all;
      all.push(...some);
    }
  }

  async function filesIn(entry) {
    if (entry.isFile) return [{ path: entry.fullPath.slice(1), file: await fileOf(entry) }];
    const found = [];
    for (const inner of await entriesOf(entry)) found.push(...(await filesIn(inner)));
    return found;
  }

  async function gather(entries) {
    // Of what has gone since it was taken up there is none; without it the rest is not what was meant.
    if (!entries.length || entries.includes(null)) throw new Error("not all of it can be read");
    const files = [];
    for (const entry of entries) files.push(...(await filesIn(entry)));
    return files;
  }

  async function receive(entries, names) {
    window.trame.trigger("vs_dropped");
    const files = await gather(entries).catch(() => null);
    if (!files) return window.trame.trigger("vs_unreadable", [names]);
    const [first] = entries;
    if (entries.length === 1 && first.isFile && /\.(zip|mrb)$/i.test(first.name)) {
      const [{ file }] = files;
      return window.vsclick.send("scans", file.name, file.size, async () => file);
    }
    return sendTogether("scans", entries.length === 1 ? first.name : `${entries.length} files`, files);
  }

  // The page's scripts come in any order, so this is no part of the other one's object.
  window.vsclickFolders = {
    upload(slot, event) {
      const files = [...event.target.files].map((file) => ({ path: file.webkitRelativePath, file }));
      event.target.value = "";
      if (files.length) sendTogether(slot, files[0].path.split("/")[0], files);
    },
  };

  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const shade = (shown) => document.body.classList.toggle("vs-dropping", shown);
  // A field takes a dropped file by itself.
  const isField = (event) => event.target.closest?.("input[type=file]");

  function take(event) {
    if (!hasFiles(event)) return;
    shade(!isField(event));
    // Else the browser would leave the page and show the file.
    if (!isField(event)) event.preventDefault();
  }

  document.addEventListener("dragover", take);
  // Else nothing is dropped where a picture has come under the pointer since it moved last.
  document.addEventListener("dragenter", take);

  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) shade(false);
  });

  document.addEventListener("drop", (event) => {
    shade(false);
    if (!hasFiles(event) || isField(event)) return;
    event.preventDefault();
    // Known only as long as the event lasts.
    const dropped = [...event.dataTransfer.items].filter(({ kind }) => kind === "file");
    const names = dropped.map((item) => item.getAsFile()?.name).filter(Boolean).join(", ");
    receive(dropped.map((item) => item.webkitGetAsEntry()), names);
  });
})();
