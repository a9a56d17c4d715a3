"""What the names of masks end with, as they are written."""

MASK_SUFFIXES = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd")
DICOM_SUFFIX = ".dcm"
